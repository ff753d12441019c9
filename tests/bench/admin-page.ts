import { setTimeout as delay } from 'node:timers/promises'
import type { Api } from '../support/api.ts'
import { signIn } from '../support/api.ts'
import { openDatabaseOf, startFilledServer } from './filled.ts'
import { cpuSeconds, type Row } from './measure.ts'

const STATIONS = 1_000
const SESSIONS = 300
const OPENINGS = 50
const FULL_PAGE = 200

/** The requests that the room's page sends when it opens: see `admin/src/features/room/room-store.ts`. */
const LISTS = [
  'postes/?',
  'sessions/actives/?',
  'sessions/?state=pending&',
  'utilisateurs/?hasOpenSession=true&',
  'sessions/?hasCredit=true&',
  'postes/demandes/?',
  'postes/appels/?',
  'parametres/blocages/?',
]
const SINGLE_PAGES = ['parametres/', `postes/commands/?pageSize=${FULL_PAGE}`]

/** The server's processor time for one opening of the room's page, in a large room. */
export async function adminPage(): Promise<Row> {
  const server = await startFilledServer(STATIONS, SESSIONS)
  await server.stop()
  const database = openDatabaseOf(server)
  const nowMs = Date.now()
  database.exec(`BEGIN;
    INSERT INTO users (id, first_name, last_name, consent_given, consent_at_ms, version, created_at_ms, updated_at_ms,
      search_text)
    SELECT 'user-of-' || id, 'Prénom', 'Nom ' || id, 1, ${nowMs}, 1, ${nowMs}, ${nowMs}, 'prenom nom ' || id FROM sessions;
    UPDATE sessions SET user_id = 'user-of-' || id;
    COMMIT;`)
  database.close()
  await server.restart()
  const api = await signIn(server)
  await openPage(api)
  await delay(1_000)
  const pid = server.process().child.pid ?? 0
  const before = cpuSeconds(pid)
  for (let opening = 0; opening < OPENINGS; opening += 1) await openPage(api)
  const spentMs = ((cpuSeconds(pid) - before) * 1_000) / OPENINGS
  await server.dispose()
  return {
    what: `Opening the admin, ${STATIONS} stations, ${SESSIONS} sessions: the server’s processor time`,
    figure: `${spentMs.toFixed(0)} ms`,
    aim: '20 ms',
  }
}

const openPage = (api: Api) =>
  Promise.all([
    ...LISTS.map((list) => everyPage(api, list)),
    ...SINGLE_PAGES.map((path) => api.get(`/api/${path}`)),
  ])

async function everyPage(api: Api, list: string): Promise<void> {
  let next: string | null = `/api/${list}pageSize=${FULL_PAGE}`
  while (next !== null) {
    const answer: { next: string | null } = await api.get<{ next: string | null }>(next)
    next = answer.next && new URL(answer.next).pathname + new URL(answer.next).search
  }
}
