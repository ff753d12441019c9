import { createConnection, type AddressInfo, type Socket } from 'node:net'
import { createServer, type Server as HttpServer } from 'node:http'
import { duplexPair } from 'node:stream'
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { generate } from 'mqtt-packet'
import mqtt from 'mqtt'
import { WebSocket, WebSocketServer } from 'ws'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
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

test('before the login, a packet header that announces more than 4 KiB closes the connection', async () => {
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

test('after the login packets of up to 256 KiB are accepted', async () => {
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

test('a real client connects over TCP', async () => {
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

test('a real client connects over TLS, and a failed handshake affects no other client', async () => {
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

test('a real client connects over WebSocket', async () => {
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

describe('connections without a login', () => {
  const places = { perGroup: 3, total: 5 }
  beforeEach(async () => {
    await room.broker.close()
    room = await openRoom({}, { places, connectTimeoutMs: 200 })
    address = await room.broker.listen({ host: '127.0.0.1', port: 0 })
  })
  const silent = async (port: number, localAddress = '127.0.0.2') => {
    const socket = createConnection({ port, host: '127.0.0.1', localAddress }).resume()
    socket.on('error', () => undefined)
    const closed = once(socket, 'close')
    await Promise.race([once(socket, 'connect'), closed])
    return { closed }
  }
  const refusals = () => room.lines.filter(({ msg }) => msg === 'mqtt connection refused')

  test('are closed at the time limit, also during the TLS handshake', async () => {
    const secure = await room.broker.listen({ host: '127.0.0.1', port: 0, tls: testCertificate })
    for (const port of [address.port, secure.port]) {
      await Promise.all(
        [silent(port), silent(port), silent(port)].map(async (socket) => (await socket).closed),
      )
    }
    const handshake = createConnection(secure.port, '127.0.0.1')
    handshake.on('error', () => undefined)
    // The start of a TLS record that never ends.
    const trickle = setInterval(() => handshake.write(Uint8Array.of(0x16)), 20)
    await once(handshake, 'close')
    clearInterval(trickle)
    expect(refusals().map(({ reason }) => reason)).toContain('TLS handshake took too long')
  })

  test('are limited for each address, and do not keep other addresses out', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => silent(address.port)))
    const station = await rawLogin('pc-01')
    expect(await station.client.settled()).toBe(true)
    await Promise.all(sockets.map(({ closed }) => closed))
    const told = refusals().filter(({ reason }) => reason === 'too many connections that are not logged in')
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({ address: '127.0.0.2', heldBack: 0 })
  })

  test('are closed when no place is left: the oldest one of the address with the most', async () => {
    const first = room.attach('2001:db8::1')
    const others = ['2001:db8::2', '2001:db8::3', '192.0.2.1', '192.0.2.2'].map((ip) => room.attach(ip))
    const newcomer = await room.login('pc-01', {}, '192.0.2.9')
    await first.closed
    expect(await newcomer.settled()).toBe(true)
    for (const other of others) other.cut()
  })

  test('do not displace clients that wait for the answer to their login', async () => {
    const lookup = Promise.withResolvers<undefined>()
    await room.broker.close()
    room = await openRoom(
      {
        authenticate: ({ username: id }) =>
          lookup.promise.then(() => ({ kind: 'station', id, party: id, label: id })),
      },
      { places },
    )
    const logins = []
    for (let index = 0; index < 10; index++) {
      logins.push(room.login(`pc-${index}`, {}, `192.0.2.${index}`))
      for (let turn = 0; turn < 5; turn++) await nextTurn()
    }
    const silent = Array.from({ length: 10 }, (_, index) => room.attach(`198.51.100.${index}`))
    await silent[0]?.closed
    lookup.resolve(undefined)
    for (const client of await Promise.all(logins)) expect(await client.settled()).toBe(true)
    for (const one of silent) one.cut()
  })

  test('free their places when they are logged in', async () => {
    const clients = []
    for (let index = 0; index < 12; index++) clients.push(await room.login(`pc-${index}`))
    for (const client of clients) expect(await client.settled()).toBe(true)
  })
})

describe('one client', () => {
  const bigEvent = (seq: number) => ({ ...samples.events, seq, filler: 'x'.repeat(200_000) })
  const filters = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ topic: own('presence', `pc-${index}`), qos: 1 as const }))

  test('is not read further while its messages wait to be processed', async () => {
    const gate = Promise.withResolvers<'drop'>()
    await room.broker.close()
    room = await openRoom({ receive: () => gate.promise })
    const [near, far] = duplexPair()
    room.broker.handleStream(far, { ip: '192.0.2.7', transport: 'tcp' })
    const client = rawClient(near)
    const connect = { protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60 } as const
    client.send({ cmd: 'connect', ...connect, ...credentials('pc-01'), password: Buffer.from('secret') })
    await client.next('connack')
    const publish = { cmd: 'publish', topic: own('events'), qos: 1, retain: false, dup: false } as const
    for (let seq = 1; seq <= 60; seq++) {
      client.send({ ...publish, messageId: seq, payload: JSON.stringify(bigEvent(seq)) })
      for (let turn = 0; turn < 5; turn++) await nextTurn()
    }
    // 32 of them were read. The others wait in the client's buffer.
    expect(near.writableLength).toBeGreaterThan(20 * 200_000)
    gate.resolve('drop')
    for (let seq = 1; seq <= 60; seq++) expect(await client.next('puback')).toMatchObject({ messageId: seq })
    client.cut()
  })

  test('may have at most 1 000 incomplete QoS 2 messages', async () => {
    const station = await room.login('pc-01')
    const publish = { cmd: 'publish', topic: own('ack'), qos: 2, retain: false, dup: false } as const
    const payload = JSON.stringify(samples.ack)
    for (let messageId = 1; messageId <= 1_000; messageId++) {
      station.send({ ...publish, messageId, payload })
      expect(await station.next('pubrec')).toMatchObject({ messageId })
    }
    station.send({ ...publish, messageId: 1, dup: true, payload })
    expect(await station.next('pubrec')).toMatchObject({ messageId: 1 })
    expect(room.received).toHaveLength(1_000)
    station.send({ ...publish, messageId: 1_001, payload })
    await station.closed
  })

  test('may have at most 500 filters, in one packet and in total', async () => {
    const flow = await room.login('flow')
    flow.send({ cmd: 'subscribe', messageId: 1, subscriptions: filters(499) })
    await flow.next('suback')
    const more = ['a', 'b', 'pc-1'].map((party) => ({ topic: own('reported', party), qos: 1 as const }))
    flow.send({ cmd: 'subscribe', messageId: 2, subscriptions: more })
    expect(await flow.next('suback')).toMatchObject({ granted: [1, 128, 128] })
    flow.send({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: [own('presence', 'pc-0')] })
    await flow.next('unsuback')
    flow.send({ cmd: 'subscribe', messageId: 4, subscriptions: more.slice(1, 2) })
    expect(await flow.next('suback')).toMatchObject({ granted: [1] })
    flow.send({ cmd: 'subscribe', messageId: 5, subscriptions: filters(501) })
    await flow.closed
    const other = await room.login('flow')
    other.send({ cmd: 'unsubscribe', messageId: 5, unsubscriptions: filters(501).map(({ topic }) => topic) })
    await other.closed
  })

  test.each([
    ['subscribe', 0x82],
    ['unsubscribe', 0xa2],
  ])('may not announce a %s larger than 32 KiB', async (_, firstByte) => {
    const flow = await room.login('flow')
    flow.write(head(firstByte, 32 * 1024 + 1))
    await flow.closed
  })

  test('has 30 seconds to send a packet, even if it sends small parts', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const station = await room.login('pc-01', { keepalive: 0 })
    const packet = generate({
      cmd: 'publish',
      topic: own('ack'),
      payload: '{}',
      qos: 1,
      messageId: 1,
      retain: false,
      dup: false,
    })
    let isClosed = false
    void station.closed.then(() => {
      isClosed = true
    })
    for (const [index, byte] of packet.entries()) {
      if (index === 25) break
      station.write(Uint8Array.of(byte))
      await vi.advanceTimersByTimeAsync(1_000)
      await nextTurn()
    }
    expect(isClosed).toBe(false)
    await vi.advanceTimersByTimeAsync(6_000)
    vi.useRealTimers()
    await station.closed
  })

  test('may send a large packet byte by byte', async () => {
    const { socket, client } = await rawLogin('pc-01')
    const packet = generate({
      cmd: 'publish',
      topic: own('events'),
      payload: JSON.stringify({ ...samples.events, filler: 'x'.repeat(5_000) }),
      qos: 1,
      messageId: 7,
      retain: false,
      dup: false,
    })
    for (const byte of packet) {
      socket.write(Uint8Array.of(byte))
      if (byte === 120) await nextTurn()
    }
    expect(await client.next('puback')).toMatchObject({ messageId: 7 })
    expect(room.received).toHaveLength(1)
  })
})

describe('over WebSocket', () => {
  let http: HttpServer
  let upgrades: WebSocketServer
  beforeEach(async () => {
    http = createServer()
    upgrades = new WebSocketServer({ server: http, handleProtocols: () => 'mqtt' })
    upgrades.on('connection', (socket) => room.broker.handleWebSocket(socket, '198.51.100.4'))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
  })
  afterEach(() => {
    upgrades.close()
    http.close()
    http.closeAllConnections()
  })
  async function openWebSocket() {
    const { port } = http.address() as AddressInfo
    const socket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, 'mqtt')
    socket.on('error', () => undefined)
    await once(socket, 'open')
    return socket
  }
  const connectPacket = generate({
    cmd: 'connect',
    ...{ protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60 },
    ...credentials('pc-01'),
    password: Buffer.from('secret'),
  })

  test('each packet comes in one frame', async () => {
    const socket = await openWebSocket()
    const frames: Buffer[] = []
    socket.on('message', (data: Buffer) => frames.push(data))
    socket.send(connectPacket)
    await expect.poll(() => frames).toEqual([Buffer.from([0x20, 2, 0, 0])])
    socket.send(
      generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: own('command'), qos: 1 }] }),
    )
    await expect.poll(() => frames.length).toBe(2)
    await room.broker.publish('command', 'pc-01', {
      id: 'c',
      op: 'lock',
      params: {},
      expiresAt: '2026-01-01T08:00:00Z',
    })
    await expect.poll(() => frames.length).toBe(3)
    socket.terminate()
  })

  test('a text frame ends the connection, before the login and after it [MQTT-6.0.0-1]', async () => {
    for (const isLoggedIn of [false, true]) {
      const socket = await openWebSocket()
      if (isLoggedIn) {
        socket.send(connectPacket)
        await once(socket, 'message')
      }
      const closed = once(socket, 'close')
      socket.send(isLoggedIn ? Buffer.from(generate({ cmd: 'pingreq' })) : connectPacket, { binary: false })
      await closed
    }
    await expect.poll(() => room.broker.stats().clients).toBe(0)
  })

  test('malformed frames are logged with one short line a minute', async () => {
    for (let round = 0; round < 20; round++) {
      const { port } = http.address() as AddressInfo
      const socket = createConnection(port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(
        'GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n',
      )
      await once(socket, 'data')
      // Reserved bits, and no mask.
      socket.write(Uint8Array.of(0xf2, 0x05, 1, 2, 3, 4, 5))
      await once(socket, 'close')
    }
    const lines = room.lines.filter(({ level }) => Number(level) >= 30)
    expect(lines).toHaveLength(1)
    expect(JSON.stringify(lines[0]).length).toBeLessThan(300)
  })
})

test('a CONNACK is sent in one segment, over TCP and TLS', async () => {
  const secure = await room.broker.listen({ host: '127.0.0.1', port: 0, tls: testCertificate })
  const plain = await openSocket()
  const tls = connectTls({ port: secure.port, host: '127.0.0.1', rejectUnauthorized: false })
  for (const socket of [plain, tls]) {
    const connect = { protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60 } as const
    socket.write(
      generate({ cmd: 'connect', ...connect, ...credentials('pc-01'), password: Buffer.from('secret') }),
    )
    const [piece] = (await once(socket, 'data')) as [Buffer]
    expect([...piece]).toEqual([0x20, 2, 0, 0])
    socket.destroy()
  }
})

test('listening on an address in use rejects', async () => {
  await expect(room.broker.listen({ host: '127.0.0.1', port: address.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})

test('a subscriber that stops reading is disconnected, and delays others by at most the drain timeout', async () => {
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

test('a subscriber that is too far behind is disconnected without waiting', async () => {
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
  // They are written in the next turns of the event loop. Only after that does another message find them unsent.
  for (let turn = 0; turn < 5; turn++) await nextTurn()
  await Promise.all([...published, order('pc-100')])
  const reasons = room.lines.filter(({ clientId }) => clientId === 'diag').map(({ reason }) => reason)
  expect(reasons).toContain('too far behind')
})

test('heartbeats are skipped for a subscriber that does not read', async () => {
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

test('a reset in the middle of a packet does not affect later connections', async () => {
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

test('mutated packets, before and after the login, close no connection but their own', async () => {
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
