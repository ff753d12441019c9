import type { CreatedSession } from '@escale/protocol'
import { signIn, type Api } from '../support/api.ts'
import type { RunningServer } from '../support/server.ts'
import { startFilledServer } from './filled.ts'
import { load, pacedP99Ms, startBareServer, statementsOf, type Call, type Load } from './load.ts'
import type { Row } from './measure.ts'

const STATIONS = 1_000
const ACTIVE = 500
/** How many sessions are started and terminated, each on its own station. */
const STARTED = 2_000
const SECONDS = 5
const WRITES_A_SECOND = 200
const READS_A_SECOND = 200

const reads: [what: string, path: string][] = [
  ['GET postes/, 50 of 1 000', '/api/postes/?pageSize=50'],
  ['GET postes/{id}/', '/api/postes/pc-7/'],
  ['GET postes/stats/', '/api/postes/stats/'],
  ['GET postes/disponibles/, 50 of 500', '/api/postes/disponibles/?pageSize=50'],
  ['GET postes/{id}/session_active/', '/api/postes/pc-7/session_active/'],
  ['GET sessions/actives/, 50 of 500', '/api/sessions/actives/?pageSize=50'],
  ['GET sessions/{id}/time_remaining/', '/api/sessions/session-7/time_remaining/'],
]

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
const grants = numbers(ACTIVE).map((n) => ({
  path: `/api/sessions/session-${n}/add_time/`,
  body: { minutes: 1 },
}))

/** Requests per second and the 99th percentile of their duration, with ten connections and 1 000 stations. */
export async function httpLoad(): Promise<Row[]> {
  const server = await startFilledServer(STATIONS, ACTIVE)
  const api = await signIn(server)
  const rows = [
    ...(await measureReads(server, api)),
    await readsBesideWrites(server, api),
    ...(await measureWrites(server, api)),
  ]
  await server.dispose()
  return [...rows, ...(await startsAndEnds())]
}

/** Measures each route, then a bare route that sends the same bytes. */
async function measureReads(server: RunningServer, { token, get }: Api): Promise<Row[]> {
  const bare = await startBareServer()
  const rows: Row[] = []
  for (const [what, path] of reads) {
    const { figure, perSecond } = await measureLoad({ ...server, token, calls: [{ path }], seconds: SECONDS })
    const url = await bare.answering(JSON.stringify(await get(path)))
    const { perSecond: most } = await load({ url, token, calls: [{ path: '/' }], seconds: SECONDS })
    const share = `${((perSecond / most) * 100).toFixed(0)} % of the ${most.toFixed(0)} of a bare route`
    rows.push({ what, figure: `${figure}; ${share}`, aim: '33 % of the bare route' })
  }
  bare.stop()
  return rows
}

async function readsBesideWrites(server: RunningServer, api: Api): Promise<Row> {
  const { token } = api
  const calls = reads.map(([, path]) => ({ path }))
  const pace = { rate: READS_A_SECOND, seconds: SECONDS }
  const [p99Ms] = await Promise.all([
    pacedP99Ms({ ...server, token, calls }, pace),
    pacedP99Ms({ ...server, token, calls: grants }, { rate: WRITES_A_SECOND, seconds: SECONDS }),
  ])
  const bare = await startBareServer()
  const url = await bare.answering(JSON.stringify(await api.get('/api/postes/?pageSize=50')))
  const bareP99Ms = await pacedP99Ms({ url, token, calls: [{ path: '/' }] }, pace)
  bare.stop()
  return {
    what: `These reads, ${READS_A_SECOND} a second, beside ${WRITES_A_SECOND} writes a second`,
    figure: `p99 ${p99Ms.toFixed(0)} ms; ${bareP99Ms.toFixed(0)} ms of a bare route without writes`,
    aim: 'p99 20 ms',
  }
}

async function measureWrites(server: RunningServer, api: Api): Promise<Row[]> {
  const { accessCode: code } = await api.post<CreatedSession>('/api/sessions/', { minutes: 60 })
  const writes: [what: string, calls: Call[], aim: string][] = [
    ['POST sessions/validate_code/, a right code', validations(code), '4 statements'],
    ['The same, at a station', validations(code, 'pc-999'), '4 statements'],
    ['POST sessions/{id}/add_time/', grants, '8 statements'],
    ['POST sessions/', [{ path: '/api/sessions/', body: { minutes: 60 } }], '–'],
  ]
  const rows: Row[] = []
  for (const [what, calls, aim] of writes) {
    const { figure } = await measureLoad({ ...server, token: api.token, calls, seconds: SECONDS })
    rows.push({ what, figure, aim })
  }
  return rows
}

const validations = (code: string, stationId?: string): Call[] => [
  { path: '/api/sessions/validate_code/', body: { code, stationId } },
]

/** Each session can be started only once, so this sends a fixed number of requests instead of running for some seconds. */
async function startsAndEnds(): Promise<Row[]> {
  const server = await startFilledServer(STARTED, 0, {}, STARTED)
  const { token } = await signIn(server)
  const rows: Row[] = []
  for (const action of ['start', 'terminate']) {
    const calls = numbers(STARTED).map((n) => ({ path: `/api/sessions/pending-${n}/${action}/`, body: {} }))
    const { figure } = await measureLoad({ ...server, token, calls, amount: STARTED })
    rows.push({ what: `POST sessions/{id}/${action}/`, figure, aim: '8 statements' })
  }
  await server.dispose()
  return rows
}

async function measureLoad(options: Load) {
  const before = await statementsOf(options.url)
  const { perSecond, p99Ms, requests } = await load(options)
  const after = await statementsOf(options.url)
  const statements =
    before === undefined || after === undefined
      ? ''
      : `; ${((after - before) / requests).toFixed(1)} statements`
  return { perSecond, figure: `${perSecond.toFixed(0)} /s, p99 ${p99Ms.toFixed(0)} ms${statements}` }
}
