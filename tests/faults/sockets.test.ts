import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { topicOf, type Desired } from '@escale/protocol'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { median, residentMb } from '../bench/measure.ts'
import { signIn, type Api } from '../support/api.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { enrolStation, macOf, openStationClient, type Identity } from '../support/station-client.ts'
import { openTcpProxy } from '../support/tcp-proxy.ts'
import { chanceOf } from './chance.ts'
import { mutate, originals } from './mutations.ts'

const MOST_MB = 300
const MOST_DELAY_MS = 3_000
const SLOW_SOCKETS = 300
const MUTATED_PACKETS = 100_000
/** The share of mutated packets that follow a login, and their number per login. */
const SHARE_LOGGED_IN = 0.9
const PER_LOGIN = 20
const SOCKETS_AT_ONCE = 64

let server: RunningServer
let api: Api
let stations: Identity[]

beforeEach(async () => {
  server = await startServer({ env: { ESCALE_LOG_LEVEL: 'error' } })
  api = await signIn(server)
  stations = [
    await enrolStation(server, api, 'pc-1', macOf(1)),
    await enrolStation(server, api, 'pc-2', macOf(2)),
  ]
})

// After each test the same process still runs, its memory has not grown, and it has logged no error.
afterEach(async () => {
  const process_ = server.process()
  expect(process_.child.exitCode).toBeNull()
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  const megabytes = residentMb(process_.child.pid!)
  process.stdout.write(`server at ${megabytes.toFixed(0)} MB\n`)
  expect(megabytes).toBeLessThan(MOST_MB)
  expect(process_.output()).not.toMatch(/"level":(50|60)/)
  await server.dispose()
})

const mqttPort = () => Number(new URL(server.mqttUrl).port)

/** A raw connection to the broker; `closed` resolves when the broker closes it. */
function openSocket(): { socket: Socket; closed: Promise<unknown> } {
  const socket = connect(mqttPort(), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.resume()
  return { socket, closed: new Promise((resolve) => socket.once('close', resolve)) }
}

/** The next matching document of a station. */
function nextDesired(client: MqttClient, isWanted: (desired: Desired) => boolean): Promise<Desired> {
  return new Promise((resolve) => {
    const onMessage = (topic: string, payload: Buffer) => {
      if (!topic.endsWith('/desired')) return
      const desired = JSON.parse(payload.toString()) as Desired
      if (!isWanted(desired)) return
      client.off('message', onMessage)
      resolve(desired)
    }
    client.on('message', onMessage)
  })
}

/** Milliseconds from an operator's grant until the station receives it. */
async function grantDelays(client: MqttClient, sessionId: string, isOver: () => boolean): Promise<number[]> {
  const delays: number[] = []
  for (let granted = 60; !isOver(); granted += 1) {
    const seconds = (granted + 1) * 60
    const received = nextDesired(client, ({ session }) => session?.grantedSeconds === seconds)
    const startedMs = performance.now()
    await api.post(`/api/sessions/${sessionId}/add_time/`, { minutes: 1 })
    await received
    delays.push(performance.now() - startedMs)
  }
  return delays
}

test(`a subscriber that stops reading delays nobody for more than ${MOST_DELAY_MS / 1_000} s`, async () => {
  const [one, two] = stations as [Identity, Identity]
  const { client } = openStationClient(server.mqttUrl, one)
  await client.subscribeAsync(topicOf('desired', one.stationId), { qos: 1 })
  const { id } = await api.post<{ id: string }>('/api/sessions/', { stationId: one.stationId, minutes: 60 })
  await api.post(`/api/sessions/${id}/start/`)

  const proxy = await openTcpProxy({ port: mqttPort() })
  const watcher = await connectAsync(`mqtt://127.0.0.1:${proxy.port}`, {
    clientId: 'operator:frozen',
    username: 'operator',
    password: api.token,
    reconnectPeriod: 0,
  })
  await watcher.subscribeAsync(['escale/v1/stations/+/reported', 'escale/v1/events/#'], { qos: 1 })
  proxy.freeze()

  const publisher = openStationClient(server.mqttUrl, two)
  const reported = { version: 1, state: 'locked', bootId: 'b', appliedAt: '2026-01-01T08:00:00.000Z' }
  let isOver = false
  const delays = grantDelays(client, id, () => isOver)
  // Ten times as much as the network buffers for a client that does not read.
  const filler = 'x'.repeat(200_000)
  await Promise.all(Array.from({ length: 300 }, () => publisher.publish('reported', { ...reported, filler })))
  isOver = true
  const waits = await delays
  // The usual delay of a busy machine is subtracted.
  const [usualMs, longestMs] = [median(waits), Math.max(...waits)]
  process.stdout.write(
    `grants beside a frozen subscriber: ${usualMs.toFixed(0)} ms, at most ${longestMs.toFixed(0)} ms\n`,
  )
  expect(longestMs - usualMs).toBeLessThan(MOST_DELAY_MS)
  await Promise.all([client, publisher.client, watcher].map((each) => each.endAsync(true)))
  await proxy.close()
})

test('hundreds of clients with a slow CONNECT do not delay a station, and are disconnected', async () => {
  const slow = Array.from({ length: SLOW_SOCKETS }, openSocket)
  const ended = Promise.all(slow.map(({ closed }) => closed))
  const drip = setInterval(() => {
    for (const { socket } of slow) if (!socket.destroyed) socket.write('M')
  }, 200)
  for (const { socket } of slow) socket.write(Buffer.from([0x10, 100, 0, 80]))
  const startedMs = performance.now()
  const { client } = openStationClient(server.mqttUrl, stations[0]!)
  const received = nextDesired(client, () => true)
  await client.subscribeAsync(topicOf('desired', 'pc-1'), { qos: 1 })
  await received
  expect(performance.now() - startedMs).toBeLessThan(MOST_DELAY_MS)
  await ended
  clearInterval(drip)
  await client.endAsync(true)
})

test('a CONNECT of 200 MB is not buffered, over TCP or WebSocket', async () => {
  const { socket, closed } = openSocket()
  socket.write(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x64]))
  const piece = Buffer.alloc(1024 * 1024, 0x4d)
  for (let sent = 0; sent < 200 && !socket.destroyed; sent += 1) {
    socket.write(piece)
    await pause(1)
  }
  await closed

  const web = new WebSocket(`${server.url.replace('http', 'ws')}/mqtt`, 'mqtt')
  web.on('error', () => undefined)
  const webClosed = new Promise((resolve) => web.once('close', resolve))
  await new Promise((resolve) => web.once('open', resolve))
  web.send(Buffer.alloc(200 * 1024 * 1024, 0x4d))
  await webClosed
})

test(`${MUTATED_PACKETS} mutated packets, before and after the login, close no connection but their own`, async () => {
  const chance = chanceOf(20260101)
  const { login, packets } = originals(stations[0]!)
  const few = (count: number) => Buffer.concat(Array.from({ length: count }, () => mutate(packets, chance)))
  let left = MUTATED_PACKETS
  const work = async () => {
    while (left > 0) {
      const isLoggedIn = chance() < SHARE_LOGGED_IN / PER_LOGIN / (1 - SHARE_LOGGED_IN)
      const count = Math.min(left, isLoggedIn ? PER_LOGIN : 1)
      left -= count
      const { socket, closed } = openSocket()
      if (isLoggedIn) {
        socket.write(login)
        await Promise.race([closed, once(socket, 'data')])
      }
      // `end` closes the connection after the bytes, unless the broker has closed it before.
      socket.end(few(count))
      await closed
    }
  }
  await Promise.all(Array.from({ length: SOCKETS_AT_ONCE }, work))
  const { client } = openStationClient(server.mqttUrl, stations[1]!)
  const received = nextDesired(client, () => true)
  await client.subscribeAsync(topicOf('desired', 'pc-2'), { qos: 1 })
  await received
  await client.endAsync(true)
}, 300_000)
