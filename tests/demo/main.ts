import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { signIn, type Api } from '../support/api.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { openStation, placesOf } from './room.ts'
import { createProgress, parseStationCount } from './terminal.ts'
import { fillRoom, simulateEvents, type Seat } from './visitors.ts'

const say = (text: string) => process.stdout.write(`${text}\n`)
const progress = createProgress(process.stdout)
const printedErrors = new Set<string>()
/** Prints an error of a simulated visitor, but each kind of error only once. The demo continues. */
function printErrorOnce(error: unknown): void {
  const text = String(error)
  const kind = text.replace(/[\da-f-]{36}|poste-\d+/g, '')
  if (!printedErrors.has(kind)) process.stderr.write(`demo: ${text}\n`)
  printedErrors.add(kind)
}

async function isFree(port: string): Promise<boolean> {
  const probe = createServer().listen(Number(port), '127.0.0.1')
  try {
    await once(probe, 'listening')
    return true
  } catch {
    return false
  } finally {
    probe.close()
  }
}

/** The default ports if they are free, else any free ports. */
async function usualPorts(): Promise<NodeJS.ProcessEnv> {
  const { ESCALE_HTTP_PORT: http = '3000', ESCALE_MQTT_PORT: mqtt = '1883' } = process.env
  return {
    ...((await isFree(http)) ? { ESCALE_HTTP_PORT: http } : {}),
    ...((await isFree(mqtt)) ? { ESCALE_MQTT_PORT: mqtt } : {}),
  }
}

const START_WITHIN_MS = 120_000
/** How many agents start at the same time. */
const AT_ONCE = 6

/** Opens every station, a few at a time, and prints the progress. */
async function openRoom(server: RunningServer, api: Api, count: number, seats: Seat[], signal: AbortSignal) {
  const waiting = placesOf(count)
  const openSome = async () => {
    for (let place = waiting.shift(); place && !signal.aborted; place = waiting.shift()) {
      seats.push({ place, agent: await openStation(server, api, place) })
      progress('Postes connectés · Stations connected:', seats.length, count)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, openSome))
  seats.sort((one, other) => one.place.id.localeCompare(other.place.id, 'fr', { numeric: true }))
}

/** Visitors come and go until the end. With four stations or more, one is in maintenance and one is offline. */
async function simulateVisitors(api: Api, seats: readonly Seat[], signal: AbortSignal): Promise<void> {
  const [offline, maintenance] = seats.length < 4 ? [] : [seats.at(-1), seats.at(-2)]
  const inUse = maintenance ? seats.slice(0, -2) : seats
  if (maintenance) {
    const path = `/api/postes/${maintenance.place.id}/marquer_maintenance/`
    await api.post(path, { reason: 'Écran noir' })
  }
  await fillRoom(api, inUse, Math.random).catch(printErrorOnce)
  await offline?.agent.stop()
  await simulateEvents(api, inUse, Math.random, signal, printErrorOnce)
}

async function main(count: number, signal: AbortSignal): Promise<void> {
  const password = randomBytes(12).toString('base64url')
  progress('Le serveur démarre… · The server is starting…')
  const server = await startServer({
    password,
    withinMs: START_WITHIN_MS,
    env: { ...(await usualPorts()), ESCALE_LOG_LEVEL: 'warn', ESCALE_ADMIN_PASSWORD: password },
  })
  const seats: Seat[] = []
  try {
    say(`\n  Démonstration · Demonstration`)
    say(`  ${server.url}   admin / ${password}`)
    say(`  ${count} postes simulés, données jetables\u202f; Ctrl-C pour arrêter`)
    say(`  ${count} simulated stations, throw-away data; Ctrl-C to stop\n`)
    const api = await signIn(server)
    await Promise.race([
      openRoom(server, api, count, seats, signal).then(() => {
        progress('Les visiteurs arrivent. · Visitors are coming.')
        return simulateVisitors(api, seats, signal)
      }),
      once(signal, 'abort'),
      server.process().ended.then((code) => {
        if (!signal.aborted) throw new Error(`the server ended (${code})\n${server.process().output()}`)
      }),
    ])
  } finally {
    await Promise.all(seats.map(({ agent }) => agent.stop()))
    await server.dispose()
  }
}

const aborter = new AbortController()
// A second Ctrl-C, or the end of the launcher, starts the same orderly stop.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => aborter.abort())
process.on('disconnect', () => aborter.abort())

const parsed = parseStationCount(process.argv.slice(2))
if ('refusal' in parsed) {
  process.stderr.write(parsed.refusal)
  process.exit(2)
}
try {
  await main(parsed.count, aborter.signal)
  process.exit(0)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : String(error)}\n`)
  process.exit(aborter.signal.aborted ? 0 : 1)
}
