import { setTimeout as delay } from 'node:timers/promises'
import { openDatabaseOf, startFilledServer } from './filled.ts'
import { cpuSeconds, type Row } from './measure.ts'

const SESSIONS = 5_000
const SETTLE_MS = 15_000
const WATCHED_SECONDS = 30

/** The cost of 5 000 running sessions while nobody does anything: seconds with a commit, and the share of a core. */
export async function sessionsAtRest(): Promise<Row[]> {
  const server = await startFilledServer(SESSIONS, SESSIONS)
  const database = openDatabaseOf(server)
  const pid = server.process().child.pid ?? 0
  // SQLite changes this number with each commit of another connection.
  const dataVersion = () => Number(database.prepare('PRAGMA data_version').get()?.['data_version'])
  await delay(SETTLE_MS)
  const cpuBefore = cpuSeconds(pid)
  let version = dataVersion()
  let secondsWithWrites = 0
  for (let second = 0; second < WATCHED_SECONDS; second += 1) {
    await delay(1_000)
    const now = dataVersion()
    if (now !== version) secondsWithWrites += 1
    version = now
  }
  const share = ((cpuSeconds(pid) - cpuBefore) / WATCHED_SECONDS) * 100
  database.close()
  await server.dispose()
  return [
    {
      what: '5 000 active sessions at rest, share of a core',
      figure: `${share.toFixed(1)} %`,
      aim: '3 %',
    },
    {
      what: '5 000 active sessions at rest, seconds with a database write',
      figure: `${secondsWithWrites} of ${WATCHED_SECONDS}`,
      aim: '0',
    },
  ]
}
