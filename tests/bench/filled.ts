import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { startServer, type RunningServer } from '../support/server.ts'

/**
 * A server whose database holds stations. The first ones have an active session with ten hours left.
 * @param pendingSessions how many stations, from the first one, have a session that waits for its code
 */
export async function startFilledServer(
  stations: number,
  activeSessions: number,
  env: NodeJS.ProcessEnv = {},
  pendingSessions = 0,
): Promise<RunningServer> {
  const server = await startServer({ env: { ESCALE_LOG_LEVEL: 'warn', ...env } })
  await server.stop()
  const database = openDatabaseOf(server)
  const nowMs = Date.now()
  const numbers = (count: number) =>
    `WITH RECURSIVE numbers (n) AS (SELECT 1 WHERE ${count} > 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})`
  database.exec(`BEGIN;
    INSERT INTO stations (id, label, location, is_maintenance, is_marked_offline, desired_version, version,
      created_at_ms, updated_at_ms)
    ${numbers(stations)} SELECT 'pc-' || n, 'Poste ' || n, 'Salle ' || n % 20, 0, 0, ${nowMs}, 1, ${nowMs}, ${nowMs}
      FROM numbers;
    INSERT INTO sessions (id, station_id, state, granted_seconds, credit_seconds, consumed_ms, running_since_ms,
      code_expires_at_ms, started_at_ms, deadline_ms, created_by, version, created_at_ms, updated_at_ms)
    ${numbers(activeSessions)} SELECT 'session-' || n, 'pc-' || n, 'active', 36000, 0, 0, ${nowMs}, ${nowMs}, ${nowMs},
      ${nowMs + 36_000_000}, 'bench', 1, ${nowMs}, ${nowMs} FROM numbers;
    INSERT INTO sessions (id, station_id, state, granted_seconds, credit_seconds, consumed_ms, code_expires_at_ms,
      created_by, deadline_ms, version, created_at_ms, updated_at_ms)
    ${numbers(pendingSessions)} SELECT 'pending-' || n, 'pc-' || n, 'pending', 3600, 0, 0, ${nowMs + 36_000_000},
      'bench', ${nowMs + 36_000_000}, 1, ${nowMs}, ${nowMs} FROM numbers;
    COMMIT;`)
  database.close()
  await server.restart()
  return server
}

export function openDatabaseOf({ dataDir }: RunningServer): DatabaseSync {
  return new DatabaseSync(join(dataDir, 'escale.sqlite'))
}
