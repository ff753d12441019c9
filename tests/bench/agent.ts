import { stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { CreatedSession, Station } from '@escale/protocol'
import { buildAgent, ownTarget } from '../support/agent-binary.ts'
import { startAgent, type RunningAgent } from '../support/agent.ts'
import { signIn, type Api } from '../support/api.ts'
import { screenByHttp } from '../support/screen-by-http.ts'
import { startServer } from '../support/server.ts'
import { cpuSeconds, median, percentile, residentMb, type Row } from './measure.ts'
import { openScreenStream } from './screen-stream.ts'

const STATION = { id: 'poste-01', label: 'Poste 01', macAddress: '02:00:5e:00:00:01' }
const STARTS = 5
const OPENINGS = 30
/** Memory is read once the agent has collected what its start left. */
const SETTLED_MS = 30_000
const WATCHED_SECONDS = 60
const POLL_MS = 5

/** The agent's single binary beside a real server: its start, its rest, and the way from a code to an open screen. */
export async function agentAlone(): Promise<Row[]> {
  if (ownTarget === undefined) throw new Error('there is no binary of the agent for this machine')
  const { path } = await buildAgent(ownTarget.name)
  const server = await startServer({ env: { ESCALE_LOG_LEVEL: 'warn' } })
  const api = await signIn(server)
  await api.post('/api/postes/', STATION)
  const agent = await startAgent(server, STATION.macAddress, { command: [path] })
  const rows = [
    await startToHeartbeat(agent, api),
    ...(await atRest(agent)),
    await codeToOpen(agent, api),
    {
      what: `Agent, size of ${ownTarget.name}`,
      figure: `${((await stat(path)).size / 1e6).toFixed(1)} MB`,
      aim: '–',
    },
  ]
  await agent.dispose()
  await server.dispose()
  return rows
}

/** With a saved identity, as at each start but the first. */
async function startToHeartbeat(agent: RunningAgent, api: Api): Promise<Row> {
  const lastBeat = async () => (await api.get<Station>(`/api/postes/${STATION.id}/`)).lastHeartbeatAt
  const times: number[] = []
  for (let start = 0; start < STARTS; start += 1) {
    await agent.kill()
    const before = await lastBeat()
    const startedAtMs = performance.now()
    const started = agent.restart()
    while ((await lastBeat()) === before) await delay(POLL_MS)
    times.push(performance.now() - startedAtMs)
    await started
  }
  return {
    what: `Agent, start to first heartbeat (median of ${STARTS})`,
    figure: `${median(times).toFixed(0)} ms`,
    aim: '700 ms',
  }
}

async function atRest(agent: RunningAgent): Promise<Row[]> {
  const pid = agent.process().child.pid ?? 0
  await delay(SETTLED_MS)
  const before = cpuSeconds(pid)
  await delay(WATCHED_SECONDS * 1_000)
  const share = ((cpuSeconds(pid) - before) / WATCHED_SECONDS) * 100
  return [
    { what: 'Agent, resident memory at rest', figure: `${residentMb(pid).toFixed(1)} MB`, aim: '75 MB' },
    {
      what: `Agent, share of a core over ${WATCHED_SECONDS} s`,
      figure: `${share.toFixed(2)} %`,
      aim: '0.5 %',
    },
  ]
}

async function codeToOpen({ screenUrl }: RunningAgent, api: Api): Promise<Row> {
  const screen = screenByHttp(screenUrl)
  const stream = await openScreenStream(screenUrl)
  const times: number[] = []
  for (let opening = 0; opening < OPENINGS; opening += 1) {
    const session = await api.post<CreatedSession>('/api/sessions/', { stationId: STATION.id, minutes: 5 })
    const opened = stream.next(({ phase }) => phase === 'active')
    const typedAtMs = performance.now()
    await screen.typeCode(session.accessCode)
    times.push((await opened) - typedAtMs)
    const locked = stream.next(({ phase }) => phase === 'locked')
    await api.post(`/api/sessions/${session.id}/terminate/`)
    await locked
  }
  stream.close()
  const [half, most] = [percentile(times, 0.5), percentile(times, 0.95)]
  return {
    what: `Agent, code typed to screen open (p50 / p95 of ${OPENINGS})`,
    figure: `${half.toFixed(0)} / ${most.toFixed(0)} ms`,
    aim: 'p95 150 ms',
  }
}
