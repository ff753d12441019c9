import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '@escale/protocol'
import type { MqttClient } from 'mqtt'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { signIn, type Api } from '../support/api.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { enrolStation, macOf, openStationClient } from '../support/station-client.ts'

const FROZEN_MS = 30_000
const ROOM = 5

let server: RunningServer
let api: Api
beforeEach(async () => {
  server = await startServer()
  api = await signIn(server)
})
afterEach(() => server.dispose())

const presence = (online: boolean) => ({
  ...{ online, cause: online ? 'birth' : 'lost', bootId: 'b', agentVersion: '1', hostname: 'h', os: 'o' },
  ...{ ipAddress: '127.0.0.1', macAddress: '' },
})

/** Stations that publish their presence at each connection, and have a will that marks them offline. */
async function openRoom(): Promise<MqttClient[]> {
  const clients: MqttClient[] = []
  for (let index = 1; index <= ROOM; index += 1) {
    const identity = await enrolStation(server, api, `pc-${index}`, macOf(index))
    const topic = `escale/v1/stations/pc-${index}/presence`
    const will = {
      topic,
      payload: Buffer.from(JSON.stringify(presence(false))),
      qos: 1,
      retain: true,
    } as const
    const { client, publish } = openStationClient(server.mqttUrl, identity, { will })
    client.on('connect', () => void publish('presence', presence(true)).catch(() => undefined))
    clients.push(client)
  }
  return clients
}
const online = async () => (await api.get<{ online: number }>('/api/postes/stats/')).online
const logCount = async (action: string) =>
  (await api.get<{ results: Log[] }>(`/api/logs/?action=${action}&pageSize=200`)).results.length

test('a server that was stopped for 30 s does not mark connected stations offline', async () => {
  const clients = await openRoom()
  await expect.poll(online, { timeout: 10_000 }).toBe(ROOM)
  const { pid = 0 } = server.process().child
  process.kill(pid, 'SIGSTOP')
  // The clients get no answer to their pings, close, and try to connect again.
  await pause(FROZEN_MS)
  process.kill(pid, 'SIGCONT')
  // Long enough for stations to reconnect, and for delayed wills to be published.
  await expect.poll(() => clients.every(({ connected }) => connected), { timeout: 10_000 }).toBe(true)
  await pause(8_000)
  expect(await online()).toBe(ROOM)
  expect(await logCount('station.offline')).toBe(0)
  expect(await logCount('station.online')).toBe(ROOM)
  await Promise.all(clients.map((client) => client.endAsync(true)))
})
