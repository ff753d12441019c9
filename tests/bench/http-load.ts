import autocannon from 'autocannon'
import type { CreatedSession } from '@escale/protocol'
import { signIn } from '../support/api.ts'
import { startFilledServer } from './filled.ts'
import type { Row } from './measure.ts'

const STATIONS = 1_000
const ACTIVE = 500
const SECONDS = 10
const CONNECTIONS = 10

/** Requests a second and their slowest hundredth, ten connections at once, in a room of a thousand stations. */
export async function httpLoad(): Promise<Row[]> {
  const server = await startFilledServer(STATIONS, ACTIVE)
  const api = await signIn(server)
  const { accessCode } = await api.post<CreatedSession>('/api/sessions/', { minutes: 60 })
  const headers = { authorization: `Bearer ${api.token}`, 'content-type': 'application/json' }
  const calls = [
    { what: 'GET /api/postes/, 50 of 1 000', path: '/api/postes/?pageSize=50' },
    { what: 'GET /api/sessions/actives/, 50 of 500', path: '/api/sessions/actives/?pageSize=50' },
    {
      what: 'POST /api/sessions/validate_code/, a right code',
      path: '/api/sessions/validate_code/',
      body: JSON.stringify({ code: accessCode }),
    },
  ]
  const rows: Row[] = []
  for (const { what, path, body } of calls) {
    const result = await autocannon({
      url: server.url + path,
      connections: CONNECTIONS,
      duration: SECONDS,
      headers,
      ...(body === undefined ? {} : { method: 'POST', body }),
    })
    const failed = result.non2xx + result.errors + result.timeouts
    if (failed > 0) throw new Error(`${what}: ${failed} requests failed`)
    const figure = `${result.requests.average.toFixed(0)} /s, ${result.latency.p99.toFixed(0)} ms`
    rows.push({ what: `${what} (requests per second, p99)`, figure, aim: '–' })
  }
  await server.dispose()
  return rows
}
