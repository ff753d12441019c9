import { setTimeout as delay } from 'node:timers/promises'
import type { Agent } from '@escale/agent'
import type { CreatedSession } from '@escale/protocol'
import { openStation, places } from '../demo/room.ts'
import { startAgent } from '../support/agent.ts'
import { signIn } from '../support/api.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { agentAlone } from './agent.ts'
import { adminPage } from './admin-page.ts'
import { sessionsAtRest } from './at-rest.ts'
import { httpLoad } from './http-load.ts'
import { median, percentile, residentMb, type Row } from './measure.ts'
import { pauses } from './pauses/index.ts'
import { openScreenStream, type ScreenStream } from './screen-stream.ts'
import { stationsAtOnce } from './stations/index.ts'

const STARTS = 5
const GRANTS = 200
/** Wait before memory is read, so that caches and garbage collection settle. */
const REST_MS = 15_000

const say = (text: string) => process.stdout.write(`${text}\n`)
const note = (text: string) => process.stderr.write(`${text}\n`)

/** Time from start to ready, on existing data as at a second `npm start`. */
async function startToReady(): Promise<Row> {
  note(`start to ready, ${STARTS} times …`)
  const server = await startServer()
  const times: number[] = []
  for (let run = 0; run < STARTS; run += 1) {
    await server.stop()
    const startedAtMs = performance.now()
    await server.restart()
    times.push(performance.now() - startedAtMs)
  }
  await server.dispose()
  return { what: 'Server, start to ready', figure: `${(median(times) / 1_000).toFixed(2)} s`, aim: '3 s' }
}

/** Server and agent as real processes, idle. */
async function memoryAtRest(): Promise<Row[]> {
  note(`memory at rest, after ${REST_MS / 1_000} s …`)
  const server = await startServer()
  const api = await signIn(server)
  await api.post('/api/postes/', places[0])
  const agent = await startAgent(server, places[0]?.macAddress ?? '')
  await delay(REST_MS)
  const figures = [server.process(), agent.process()].map(({ child }) => residentMb(child.pid ?? 0))
  await agent.dispose()
  await server.dispose()
  const [ofServer = Number.NaN, ofAgent = Number.NaN] = figures
  return [
    { what: 'Server, resident memory at rest', figure: `${ofServer.toFixed(0)} MB`, aim: '150 MB' },
    { what: 'Agent, resident memory at rest', figure: `${ofAgent.toFixed(0)} MB`, aim: '80 MB' },
  ]
}

/** Time from the operator's request to the message that updates the station's screen, with twelve stations. */
async function addTimeToShown(): Promise<Row> {
  note(`add time to shown, ${GRANTS} times with ${places.length} stations …`)
  const server = await startServer({ env: { ESCALE_LOG_LEVEL: 'warn' } })
  const room = await openRoom(server)
  const times: number[] = []
  for (let run = 0; run < GRANTS; run += 1) {
    const seat = room.seats[run % room.seats.length]
    if (!seat) break
    seat.grantedSeconds += 60
    const { grantedSeconds } = seat
    const shown = seat.stream.next((view) => view.countdown?.grantedSeconds === grantedSeconds)
    const askedAtMs = performance.now()
    await room.api.post(`/api/sessions/${seat.sessionId}/add_time/`, { minutes: 1 })
    times.push((await shown) - askedAtMs)
  }
  await room.close()
  await server.dispose()
  const [half, most] = [percentile(times, 0.5), percentile(times, 0.95)]
  return {
    what: `Add time to shown on the station, ${places.length} stations (p50 / p95)`,
    figure: `${half.toFixed(1)} / ${most.toFixed(1)} ms`,
    aim: 'p95 50 ms',
  }
}

/** Twelve stations, each with a session and a listener on its screen. */
async function openRoom(server: RunningServer) {
  const api = await signIn(server)
  const agents: Agent[] = []
  const seats: { sessionId: string; grantedSeconds: number; stream: ScreenStream }[] = []
  for (const place of places) {
    const agent = await openStation(server, api, place, { port: 0 })
    agents.push(agent)
    const stream = await openScreenStream(agent.screenUrl() ?? '')
    const session = await api.post<CreatedSession>('/api/sessions/', { stationId: place.id, minutes: 60 })
    const active = stream.next((view) => view.phase === 'active')
    agent.typeCode(session.accessCode)
    await active
    seats.push({ sessionId: session.id, grantedSeconds: session.grantedSeconds, stream })
  }
  const close = async () => {
    for (const { stream } of seats) stream.close()
    await Promise.all(agents.map((agent) => agent.stop()))
  }
  return { api, seats, close }
}

const parts: Record<string, () => Promise<Row[]>> = {
  screen: async () => [await addTimeToShown()],
  memory: memoryAtRest,
  start: async () => [await startToReady()],
  http: () => {
    note('requests per second …')
    return httpLoad()
  },
  sessions: () => {
    note('5 000 sessions at rest …')
    return sessionsAtRest()
  },
  admin: async () => {
    note('opening the admin in a large room …')
    return [await adminPage()]
  },
  agent: () => {
    note('the agent’s binary …')
    return agentAlone()
  },
  pauses: () => pauses(note, words.slice(1)),
  stations: () => stationsAtOnce(note, words.slice(1)),
}

const words = process.argv.slice(2)

/** Runs all parts, or the named ones. `pauses WORD...` measures only the inputs whose name contains one of the words. */
async function main(): Promise<void> {
  const [first = ''] = words
  // The words after `pauses` or `stations` are arguments of that part.
  const named = first === 'pauses' || first === 'stations' ? [first] : words
  const unknown = named.filter((name) => !(name in parts))
  if (unknown.length > 0) {
    note(`bench: ${unknown.join(', ')} is unknown. Known parts: ${Object.keys(parts).join(', ')}.`)
    process.exit(2)
  }
  const rows: Row[] = []
  for (const [name, measure] of Object.entries(parts)) {
    if (named.length === 0 || named.includes(name)) rows.push(...(await measure()))
  }
  say('| What | Measured | Aim |')
  say('|---|---:|---:|')
  for (const { what, figure, aim } of rows) say(`| ${what} | ${figure} | ${aim} |`)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
process.on('disconnect', () => process.exit(130))
await main()
process.exit(0)
