import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { signIn } from '../support/api.ts'
import { startServer } from '../support/server.ts'
import { openStation, places } from './room.ts'
import { fillRoom, liveOn, type Seat } from './visitors.ts'

const say = (text: string) => process.stdout.write(`${text}\n`)

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

/** The usual ports where they are free, so that the usual address works; else any. */
async function usualPorts(): Promise<NodeJS.ProcessEnv> {
  const { ESCALE_HTTP_PORT: http = '3000', ESCALE_MQTT_PORT: mqtt = '1883' } = process.env
  return {
    ...((await isFree(http)) ? { ESCALE_HTTP_PORT: http } : {}),
    ...((await isFree(mqtt)) ? { ESCALE_MQTT_PORT: mqtt } : {}),
  }
}

async function main(signal: AbortSignal): Promise<void> {
  const password = randomBytes(9).toString('base64url')
  const server = await startServer({
    password,
    env: { ...(await usualPorts()), ESCALE_LOG_LEVEL: 'warn', ESCALE_ADMIN_PASSWORD: password },
  })
  const seats: Seat[] = []
  const trouble = (error: unknown) => process.stderr.write(`demo: ${String(error)}\n`)
  try {
    const api = await signIn(server)
    await Promise.all(
      places.map(async (place) => seats.push({ place, agent: await openStation(server, api, place) })),
    )
    seats.sort((one, other) => one.place.id.localeCompare(other.place.id))
    const [offline, maintenance] = [seats.at(-1), seats.at(-2)]
    await api.post(`/api/postes/${maintenance?.place.id ?? ''}/marquer_maintenance/`, {
      reason: 'Écran noir',
    })

    say(`\n  Démonstration · Demonstration`)
    say(`  ${server.url}   admin / ${password}`)
    say(`  12 postes simulés, données jetables ; Ctrl-C pour arrêter`.replace(' ;', '\u202f;'))
    say(`  12 simulated stations, throw-away data; Ctrl-C to stop\n`)
    await Promise.race([
      fillRoom(api, seats, Math.random)
        .then(() => offline?.agent.stop())
        .catch(trouble)
        .then(() => liveOn(api, seats.slice(0, -2), Math.random, signal, trouble)),
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
// Ctrl-C may come twice, and the launcher may be gone without a word: each asks for the same orderly end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => aborter.abort())
process.on('disconnect', () => aborter.abort())

try {
  await main(aborter.signal)
  process.exit(0)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : String(error)}\n`)
  process.exit(aborter.signal.aborted ? 0 : 1)
}
