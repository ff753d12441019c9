import type { RunningServer } from '../../support/server.ts'
import { openDatabaseOf } from '../filled.ts'

const USERS = 5_000
const LOGS = 20_000
const ENDED_SESSIONS = 50_000
/** How many of them belong to one visitor: three a day for a year. */
const OWN_SESSIONS = 1_000
const DAY_MS = 86_400_000
/** The longest details that a station may send about one fault. */
const DETAILS = JSON.stringify({ text: 'x'.repeat(2_000) })

/** Fills the database like that of a site after some years: visitors with long notes, and long log records. */
export function fillForPauses(server: RunningServer): void {
  const database = openDatabaseOf(server)
  const nowMs = Date.now()
  database.exec(`BEGIN;
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${USERS})
    INSERT INTO users (id, first_name, last_name, email, notes, consent_given, version, created_at_ms, updated_at_ms,
      search_text)
    SELECT 'user-' || n, 'Prénom' || n, 'Nom' || n, 'u' || n || '@exemple.fr', '${'né '.repeat(660)}', 1, 1, ${nowMs},
      ${nowMs}, 'prenom' || n || ' nom' || n || ' u' || n || '@exemple.fr ${'ne '.repeat(660)}' FROM numbers;
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${LOGS})
    INSERT INTO logs (id, at_ms, action, level, actor_type, actor_id, actor_label, station_id, user_id, details,
      prev_hash, hash)
    SELECT (SELECT coalesce(max(id), 0) FROM logs) + n, ${nowMs}, 'station.fault_reported',
      CASE n % 2 WHEN 0 THEN 'error' ELSE 'info' END, 'station', 'pc-1', 'Poste 1', 'pc-' || (n % 1000 + 1),
      CASE WHEN n <= ${5 * OWN_SESSIONS} THEN 'user-1' END, '${DETAILS}', '-', 'hash-' || n FROM numbers;
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${ENDED_SESSIONS})
    INSERT INTO sessions (id, user_id, station_id, state, granted_seconds, credit_seconds, consumed_ms, code_expires_at_ms,
      started_at_ms, ended_at_ms, end_reason, created_by, version, created_at_ms, updated_at_ms)
    SELECT 'ended-' || n, CASE WHEN n <= ${OWN_SESSIONS} THEN 'user-1' END, 'pc-' || (n % 1000 + 1), 'ended', 3600, 0,
      3600000, created, created, created + 3600000, 'expired', 'bench', 1, created, created
    FROM (SELECT n, ${nowMs} - (n * ${DAY_MS * 29} / ${ENDED_SESSIONS}) AS created FROM numbers);
    COMMIT;`)
  database.close()
}
