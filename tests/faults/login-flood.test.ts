import { createConnection } from 'node:net'
import { once } from 'node:events'
import { generate } from 'mqtt-packet'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { signIn } from '../support/api.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { enrolStation, macOf, type Identity } from '../support/station-client.ts'

const LOOPS = 300
const MOST_MS = 2_000

let server: RunningServer
let station: Identity
beforeEach(async () => {
  server = await startServer({ env: { ESCALE_LOG_LEVEL: 'warn' } })
  station = await enrolStation(server, await signIn(server), 'pc-1', macOf(1))
})
afterEach(() => server.dispose())

/** One login over TCP from this address; @returns the CONNACK return code, undefined if there was none */
async function login(localAddress: string, username: string, password: string): Promise<number | undefined> {
  const port = Number(new URL(server.mqttUrl).port)
  const socket = createConnection({ host: '127.0.0.1', port, localAddress })
  socket.on('error', () => undefined)
  const usual = { protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60 } as const
  socket.write(
    generate({ cmd: 'connect', ...usual, clientId: username, username, password: Buffer.from(password) }),
  )
  const closed = once(socket, 'close')
  const answer = await Promise.race([once(socket, 'data'), closed.then((): [] => [])])
  socket.destroy()
  await closed
  const [bytes] = answer as [Buffer?]
  return bytes?.[3]
}

test(`a station can log in within ${MOST_MS / 1_000} s while ${LOOPS} loops try wrong secrets`, async () => {
  let isOver = false
  let tried = 0
  const loops = Array.from({ length: LOOPS }, async (_, index) => {
    while (!isOver) {
      await login('127.0.0.2', `pc-${index + 2}`, 'wrong')
      tried += 1
    }
  })
  await expect.poll(() => tried, { timeout: 20_000 }).toBeGreaterThan(LOOPS)
  const waits: number[] = []
  for (let round = 0; round < 20; round += 1) {
    const startedMs = performance.now()
    expect(await login('127.0.0.3', station.stationId, station.mqttSecret)).toBe(0)
    waits.push(performance.now() - startedMs)
  }
  // A right secret is accepted from the flooding address too.
  expect(await login('127.0.0.2', station.stationId, station.mqttSecret)).toBe(0)
  isOver = true
  await Promise.all(loops)
  const longestMs = Math.max(...waits)
  process.stdout.write(`logins beside ${tried} wrong ones: at most ${longestMs.toFixed(0)} ms\n`)
  expect(longestMs).toBeLessThan(MOST_MS)
})
