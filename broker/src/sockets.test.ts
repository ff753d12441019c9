import { createConnection, type AddressInfo, type Socket } from 'node:net'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { generate } from 'mqtt-packet'
import mqtt from 'mqtt'
import { WebSocketServer } from 'ws'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MAX_PACKET_BEFORE_LOGIN_BYTES, MAX_PACKET_BYTES } from './guard.ts'
import { head, openRoom, own, rawClient, samples, type Room } from './testing.ts'
import { testCertificate } from './test-certificate.ts'

interface Mutation {
  isLoggedIn: boolean
  packet: Uint8Array
  edits: [number, number][]
  tail: Uint8Array
}

let room: Room
let address: AddressInfo
beforeEach(async () => {
  room = await openRoom({}, { drainTimeoutMs: 300 })
  address = await room.broker.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(() => room.broker.close())

const credentials = (id: string) => ({ username: id, password: 'secret', clientId: id })

async function openSocket(): Promise<Socket> {
  const socket = createConnection(address.port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

async function rawLogin(id: string) {
  const socket = await openSocket()
  const client = rawClient(socket)
  const packet = {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    keepalive: 60,
  } as const
  client.send({ ...packet, ...credentials(id), password: Buffer.from('secret') })
  await client.next('connack')
  return { socket, client }
}

test('a packet larger than 4 KiB before the login closes the connection as soon as it is announced', async () => {
  const sockets = await Promise.all([openSocket(), openSocket()])
  for (const socket of sockets) {
    const client = rawClient(socket)
    client.write(head(0x10, 200 * 1024 * 1024))
    await client.closed
  }
  const atLimit = rawClient(await openSocket())
  atLimit.write(head(0x10, MAX_PACKET_BEFORE_LOGIN_BYTES + 1))
  await atLimit.closed
  expect(room.broker.stats().connectionsRefused).toBe(3)
})

test('after the login 256 KiB are taken and not a byte more', async () => {
  const { client } = await rawLogin('pc-01')
  const frame = generate({
    cmd: 'publish',
    topic: own('events'),
    payload: '',
    qos: 0,
    retain: false,
    dup: false,
  })
  const overhead = frame.length - 2
  client.send({
    cmd: 'publish',
    topic: own('events'),
    payload: Buffer.alloc(MAX_PACKET_BYTES - overhead, 32),
    qos: 0,
    retain: false,
    dup: false,
  })
  expect(await client.settled()).toBe(true)
  expect(room.broker.stats().dropped).toBe(1)
  client.write(head(0x30, MAX_PACKET_BYTES + 1))
  await client.closed
})

test('a real client speaks over TCP', async () => {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${address.port}`, credentials('pc-01'))
  await client.subscribeAsync(own('command'), { qos: 1 })
  const message = new Promise<string>((resolve) => client.once('message', resolve))
  await client.publishAsync(own('ack'), JSON.stringify(samples.ack), { qos: 1 })
  await room.broker.publish('command', 'pc-01', {
    id: 'c',
    op: 'lock',
    params: {},
    expiresAt: '2026-01-01T08:00:00Z',
  })
  expect(await message).toBe(own('command'))
  expect(room.received[0]).toMatchObject({ name: 'ack', party: 'pc-01', ip: '127.0.0.1' })
  await client.endAsync()
})

test('a real client speaks over TLS, and a failed handshake harms nobody', async () => {
  const secure = await room.broker.listen({ host: '127.0.0.1', port: 0, tls: testCertificate })
  const plain = createConnection(secure.port, '127.0.0.1', () => plain.write('GET / HTTP/1.1\r\n\r\n'))
  plain.on('error', () => undefined)
  await once(plain, 'close')
  const old = connectTls({
    port: secure.port,
    host: '127.0.0.1',
    maxVersion: 'TLSv1.1',
    rejectUnauthorized: false,
  })
  await once(old, 'error')
  const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${secure.port}`, {
    ...credentials('pc-01'),
    ca: testCertificate.cert,
    servername: 'localhost',
  })
  await client.publishAsync(own('ack'), JSON.stringify(samples.ack), { qos: 1 })
  expect(room.received).toHaveLength(1)
  await client.endAsync()
})

test('a refusal reaches its client over TLS too, before the connection closes', async () => {
  const secure = await room.broker.listen({ host: '127.0.0.1', port: 0, tls: testCertificate })
  const refused = async (options: mqtt.IClientOptions) =>
    mqtt
      .connectAsync(`mqtts://127.0.0.1:${secure.port}`, {
        ...credentials('pc-01'),
        ca: testCertificate.cert,
        servername: 'localhost',
        reconnectPeriod: 0,
        ...options,
      })
      .then(
        () => undefined,
        (err: unknown) => (err as { code?: number }).code,
      )
  expect(await refused({ password: 'wrong' })).toBe(4)
  expect(await refused({ protocolVersion: 5 })).toBe(1)
})

test('a real client speaks over WebSocket', async () => {
  const http = createServer()
  const upgrades = new WebSocketServer({ server: http, handleProtocols: () => 'mqtt' })
  upgrades.on('connection', (socket) => room.broker.handleWebSocket(socket, '198.51.100.4'))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const client = await mqtt.connectAsync(`ws://127.0.0.1:${port}/mqtt`, credentials('pc-01'))
  await client.publishAsync(own('ack'), JSON.stringify(samples.ack), { qos: 1 })
  expect(room.received[0]).toMatchObject({ name: 'ack', ip: '198.51.100.4' })

  const closed = new Promise<void>((resolve) => client.once('close', resolve))
  client.options.reconnectPeriod = 0
  expect(room.broker.disconnect(() => true)).toBe(1)
  await closed
  await client.endAsync(true)
  upgrades.close()
  http.close()
})

test('a retained document does not wait for a delayed TCP acknowledgement, 40 ms and more', async () => {
  await room.broker.publish('desired', 'pc-01', {
    version: 1,
    state: 'locked',
    sentAt: '2026-01-01T08:00:00Z',
  })
  const waitsMs: number[] = []
  for (let round = 0; round < 9; round++) {
    const { client } = await rawLogin('pc-01')
    const startedMs = performance.now()
    await client.subscribe(own('desired'))
    await client.next('publish')
    waitsMs.push(performance.now() - startedMs)
  }
  expect(waitsMs.toSorted((a, b) => a - b)[4]).toBeLessThan(30)
})

test('an address that is taken rejects', async () => {
  await expect(room.broker.listen({ host: '127.0.0.1', port: address.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})

test('a subscriber that stops reading is given up, and others wait for it no longer than the drain timeout', async () => {
  const frozen = await rawLogin('diag')
  await frozen.client.subscribe('escale/v1/#')
  const watcher = await rawLogin('flow')
  await watcher.client.subscribe('escale/v1/events/#')
  frozen.socket.pause()
  const details = { filler: 'x'.repeat(100_000) }
  const startedMs = performance.now()
  const published = Array.from({ length: 200 }, (_, index) =>
    room.broker.publish('domainEvent', `e${index}`, { kind: 'x', at: '2026-01-01T08:00:00Z', details }),
  )
  await Promise.all(published)
  expect(performance.now() - startedMs).toBeLessThan(3_000)
  await watcher.client.settled()
  expect(watcher.client.messages).toHaveLength(200)
  expect(room.broker.stats().clients).toBe(1)
  const endings = room.lines.filter(
    ({ msg, clientId }) => msg === 'mqtt connection lost' && clientId === 'diag',
  )
  expect(endings).toHaveLength(1)
})

test('a subscriber too far behind is given up without waiting for it', async () => {
  const frozen = await rawLogin('diag')
  await frozen.client.subscribe('escale/v1/#')
  frozen.socket.pause()
  const params = { filler: 'x'.repeat(200_000) }
  const order = (party: string) =>
    room.broker.publish('command', party, {
      id: 'c',
      op: 'message',
      params,
      expiresAt: '2026-01-01T08:00:00Z',
    })
  const published = Array.from({ length: 100 }, (_, index) => order(`pc-${index}`))
  // They are written in the next turns; only then does one more find them unsent.
  for (let turn = 0; turn < 5; turn++) await nextTurn()
  await Promise.all([...published, order('pc-100')])
  const reasons = room.lines.filter(({ clientId }) => clientId === 'diag').map(({ reason }) => reason)
  expect(reasons).toContain('too far behind')
})

test('heartbeats pass by a subscriber that does not read', async () => {
  const frozen = await rawLogin('diag')
  await frozen.client.subscribe('escale/v1/stations/+/heartbeat')
  const station = await rawLogin('pc-01')
  frozen.socket.pause()
  const heartbeat = JSON.stringify({ ...samples.heartbeat, filler: 'x'.repeat(200_000) })
  for (let sent = 0; sent < 100; sent++) {
    station.client.send({
      cmd: 'publish',
      topic: own('heartbeat'),
      payload: heartbeat,
      qos: 0,
      retain: false,
      dup: false,
    })
  }
  expect(await station.client.settled()).toBe(true)
  expect(room.received).toHaveLength(100)
  expect(room.broker.stats().skipped).toBeGreaterThan(0)
})

test('a reset in the middle of a packet, and packets after it, harm nobody', async () => {
  for (let round = 0; round < 20; round++) {
    const { socket } = await rawLogin('pc-01')
    socket.write(
      generate({
        cmd: 'publish',
        topic: own('ack'),
        payload: '{}',
        qos: 1,
        messageId: 1,
        retain: false,
        dup: false,
      }).subarray(0, -3),
    )
    socket.resetAndDestroy()
  }
  expect(await (await rawLogin('pc-02')).client.settled()).toBe(true)
})

test('mutated packets, before and after the login, close at most their own connection', async () => {
  const packets = [
    generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      keepalive: 60,
      ...credentials('pc-01'),
      password: Buffer.from('secret'),
    }),
    generate({
      cmd: 'publish',
      topic: own('ack'),
      payload: JSON.stringify(samples.ack),
      qos: 1,
      messageId: 1,
      retain: false,
      dup: false,
    }),
    generate({
      cmd: 'publish',
      topic: own('events'),
      payload: '{}',
      qos: 2,
      messageId: 2,
      retain: true,
      dup: true,
    }),
    generate({ cmd: 'pubrel', messageId: 2 }),
    generate({ cmd: 'subscribe', messageId: 3, subscriptions: [{ topic: own('desired'), qos: 1 }] }),
    generate({ cmd: 'unsubscribe', messageId: 4, unsubscriptions: [own('desired')] }),
    generate({ cmd: 'pingreq' }),
  ]
  const mutation = fc.record({
    isLoggedIn: fc.boolean(),
    packet: fc.constantFrom(...packets),
    edits: fc.array(fc.tuple(fc.nat(80), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
    tail: fc.uint8Array({ maxLength: 20 }),
  })
  const attempt = async ({ isLoggedIn, packet, edits, tail }: Mutation) => {
    const bytes = Uint8Array.from([...packet, ...tail])
    for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value
    const client = isLoggedIn ? await room.login('pc-01') : room.attach()
    client.write(bytes)
    await nextTurn()
    client.cut()
    await client.closed
  }
  await fc.assert(fc.asyncProperty(mutation, attempt), { numRuns: 1_500, seed: 20260101 })
  expect(await (await rawLogin('pc-02')).client.settled()).toBe(true)
  expect(room.lines.filter(({ level }) => Number(level) >= 50)).toEqual([])
})
