import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { IConnectPacket } from 'mqtt-packet'
import { MAX_LOGINS_AT_ONCE, MAX_LOGINS_PER_ADDRESS, MIN_WAITING } from './admission.ts'
import { openRoom, own, samples, type Room } from './testing.ts'
import type { BrokerPorts } from './ports.ts'

let room: Room
afterEach(() => room.broker.close())

const secret = Buffer.from('secret')

/** The CONNACK's return code, or undefined when the connection is closed without one. */
async function connackCode(packet: Partial<IConnectPacket>): Promise<number | undefined> {
  const client = room.connect(packet)
  const connack = await client.next('connack')
  const code = connack?.cmd === 'connack' ? connack.returnCode : undefined
  if (code !== 0) await client.closed
  return code
}

const suffixed = (...suffixes: string[]) =>
  Promise.all(suffixes.map((suffix) => room.login('pc-01', { clientId: `pc-01:${suffix}` })))

test.each<[string, Partial<IConnectPacket>, number]>([
  ['a station with its secret is accepted', { username: 'pc-01', clientId: 'pc-01', password: secret }, 0],
  ['a suffix is accepted', { username: 'pc-01', clientId: 'pc-01:screen', password: secret }, 0],
  ['a login without a name is refused', { clientId: 'pc-01' }, 5],
  ['a login without a password is refused', { username: 'pc-01', clientId: 'pc-01' }, 5],
  ['an empty password is refused', { username: 'pc-01', clientId: 'pc-01', password: Buffer.alloc(0) }, 5],
  ['a wrong password is refused', { username: 'pc-01', clientId: 'pc-01', password: Buffer.from('no') }, 4],
  [
    'the client id of another station is refused',
    { username: 'pc-01', clientId: 'pc-02', password: secret },
    2,
  ],
  [
    'a longer name without a colon is not a suffix',
    { username: 'pc-01', clientId: 'pc-012', password: secret },
    2,
  ],
  ['an empty suffix is refused', { username: 'pc-01', clientId: 'pc-01:', password: secret }, 2],
  ['two suffixes are refused', { username: 'pc-01', clientId: 'pc-01:a:b', password: secret }, 2],
  ['a suffix with wildcards is refused', { username: 'flow', clientId: 'flow:+', password: secret }, 2],
  ['an empty client id is refused', { username: 'pc-01', clientId: '', password: secret }, 2],
  ['a name outside the alphabet is refused', { username: 'pc/#', clientId: 'pc/#', password: secret }, 4],
])('%s', async (_, packet, code) => {
  room = await openRoom()
  expect(await connackCode(packet)).toBe(code)
})

test.each<[string, 'operator' | 'station', string]>([
  ['the name `operator` is accepted only for an operator', 'station', 'operator'],
  ['an operator is accepted only under the name `operator`', 'operator', 'pc-01'],
])('%s', async (_, kind, username) => {
  const authenticate: BrokerPorts['authenticate'] = ({ clientId }) =>
    Promise.resolve({ kind, id: 'x', party: clientId, label: '' })
  room = await openRoom({ authenticate })
  expect(await connackCode({ username, clientId: username, password: secret })).toBe(5)
})

test('credentials reach the port unchanged, with the address', async () => {
  const seen: unknown[] = []
  room = await openRoom({
    authenticate(credentials) {
      seen.push(credentials)
      return Promise.resolve(undefined)
    },
  })
  await connackCode({ username: 'pc-01', clientId: 'pc-01:a', password: secret })
  expect(seen).toEqual([
    { username: 'pc-01', clientId: 'pc-01:a', password: 'secret', ip: '192.0.2.7', transport: 'tcp' },
  ])
})

test('when the port fails, the login is refused as temporary, and only the log has the reason', async () => {
  room = await openRoom({ authenticate: () => Promise.reject(new Error('no database')) })
  expect(await connackCode({ username: 'pc-01', clientId: 'pc-01', password: secret })).toBe(3)
  expect(room.lines).toContainEqual(
    expect.objectContaining({
      reason: 'authentication failed',
      err: expect.objectContaining({ message: 'no database' }) as unknown,
    }),
  )
})

test('no secret is logged', async () => {
  room = await openRoom()
  await connackCode({ username: 'pc-01', clientId: 'pc-01', password: Buffer.from('hunter2-hunter2') })
  await connackCode({ username: 'pc-01', clientId: 'pc-02', password: Buffer.from('hunter2-hunter2') })
  expect(room.lines.length).toBeGreaterThan(0)
  expect(JSON.stringify(room.lines)).not.toContain('hunter2')
})

test('a fifth suffix is refused until one of the four disconnects', async () => {
  room = await openRoom()
  const main = await room.login('pc-01')
  const [first] = await suffixed('a', 'b', 'c', 'd')
  expect(await connackCode({ username: 'pc-01', clientId: 'pc-01:e', password: secret })).toBe(3)
  expect(await connackCode({ username: 'pc-02', clientId: 'pc-02', password: secret })).toBe(0)
  expect(await main.settled()).toBe(true)
  first?.cut()
  await first?.closed
  await expect.poll(() => room.broker.stats().clients).toBe(5)
  expect(await connackCode({ username: 'pc-01', clientId: 'pc-01:e', password: secret })).toBe(0)
})

test('the name without a suffix is accepted beside four suffixes', async () => {
  room = await openRoom()
  await suffixed('a', 'b', 'c', 'd')
  expect(await connackCode({ username: 'pc-01', clientId: 'pc-01', password: secret })).toBe(0)
})

test('the same client id replaces the older connection, also when all places are in use', async () => {
  room = await openRoom()
  const old = await room.login('pc-01')
  const [oldSuffix] = await suffixed('a', 'b', 'c', 'd')
  const young = await room.login('pc-01')
  const [youngSuffix] = await suffixed('a')
  await Promise.all([old.closed, oldSuffix?.closed])
  expect(await young.settled()).toBe(true)
  expect(await youngSuffix?.settled()).toBe(true)
  expect(room.broker.stats().clients).toBe(5)
})

test('operators are counted separately, and cannot take the client id of another', async () => {
  room = await openRoom()
  const alice = await room.login('operator', { clientId: 'operator:x' })
  const bob = { username: 'operator', password: Buffer.from('token:bob') }
  expect(await connackCode({ ...bob, clientId: 'operator:x' })).toBe(2)
  for (const suffix of ['a', 'b', 'c', 'd'])
    expect(await connackCode({ ...bob, clientId: `operator:${suffix}` })).toBe(0)
  expect(await connackCode({ ...bob, clientId: 'operator:e' })).toBe(3)
  expect(await alice.settled()).toBe(true)
})

test('a connection closes when its token expires', async () => {
  const authenticate: BrokerPorts['authenticate'] = ({ clientId }) =>
    Promise.resolve({
      kind: 'operator',
      id: 'alice',
      party: clientId,
      label: '',
      expiresAtMs: Date.now() + 60,
    })
  room = await openRoom({ authenticate })
  const client = await room.login('operator')
  await client.closed
  expect(room.broker.stats().clients).toBe(0)
})

test('an expired token is refused', async () => {
  const authenticate: BrokerPorts['authenticate'] = ({ clientId }) =>
    Promise.resolve({ kind: 'operator', id: 'alice', party: clientId, label: '', expiresAtMs: 999 })
  room = await openRoom({ authenticate, nowMs: () => 1_000 })
  expect(await connackCode({ username: 'operator', clientId: 'operator', password: secret })).toBe(4)
})

/** Lookups that wait until the test ends them, and how many are running for each address. */
function slowLookups() {
  const running = new Map<string, number>()
  const gates: (() => void)[] = []
  let most = 0
  const authenticate: BrokerPorts['authenticate'] = ({ username: id, clientId: party, ip }) => {
    if (id === 'quick') return Promise.resolve({ kind: 'station', id, party, label: id })
    return new Promise((resolve) => {
      running.set(ip, (running.get(ip) ?? 0) + 1)
      most = Math.max(most, gates.length + 1)
      gates.push(() => {
        running.set(ip, (running.get(ip) ?? 0) - 1)
        resolve({ kind: id.startsWith('pc-') ? 'station' : 'automation', id, party, label: id })
      })
    })
  }
  return { authenticate, gates, running, most: () => most }
}

const [here, there, elsewhere] = ['192.0.2.7', '192.0.2.8', '2001:db8::1']

test('at most 32 credentials are looked up at a time, 16 of one address, and the others wait', async () => {
  const lookups = slowLookups()
  room = await openRoom(lookups)
  for (const ip of [here, there, elsewhere]) await room.login('quick', {}, ip)
  const clients = [here, there, elsewhere].flatMap((ip, network) =>
    Array.from({ length: 30 }, (_, index) => room.login(`pc-${network}-${index}`, {}, ip)),
  )
  await expect.poll(() => lookups.gates.length).toBe(MAX_LOGINS_AT_ONCE)
  expect(Math.max(...lookups.running.values())).toBe(MAX_LOGINS_PER_ADDRESS)
  // The client `quick` is connected too: each address replaced its older connection.
  while (room.broker.stats().clients < clients.length + 1) {
    lookups.gates.shift()?.()
    await nextTurn()
  }
  await Promise.all(clients)
  expect(lookups.most()).toBe(MAX_LOGINS_AT_ONCE)
})

test('a station can log in while any number of logins from another address wait', async () => {
  const lookups = slowLookups()
  room = await openRoom(lookups)
  for (let index = 0; index < 300; index++) {
    const username = `pc-${index}`
    room.connect({ username, clientId: username, password: secret }, here)
  }
  await expect.poll(() => lookups.running.get(here)).toBe(MAX_LOGINS_PER_ADDRESS)
  expect(await (await room.login('quick', {}, there)).settled()).toBe(true)
})

test('an address that logged in before can log in while others fill all other places', async () => {
  const lookups = slowLookups()
  room = await openRoom(lookups)
  await room.login('quick', {}, elsewhere)
  for (let network = 0; network < 40; network++) {
    const username = `pc-${network}`
    room.connect({ username, clientId: username, password: secret }, `2001:db8:${network + 1}::1`)
  }
  await expect.poll(() => lookups.gates.length).toBe(MAX_LOGINS_AT_ONCE - 8)
  // Another address of the same network.
  expect(await (await room.login('quick', {}, '2001:db8::2')).settled()).toBe(true)
})

describe('wrong secrets of one address', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => vi.useRealTimers())
  const wrong = { username: 'pc-01', clientId: 'pc-01', password: Buffer.from('wrong') }
  const turns = async () => {
    for (let turn = 0; turn < 20; turn++) await nextTurn()
  }

  test('are answered more and more slowly, but a right secret and another address at once', async () => {
    let now = 1_000
    room = await openRoom({ nowMs: () => now })
    for (let tried = 0; tried < 5; tried++) expect(await connackCode(wrong)).toBe(4)
    for (const delayMs of [250, 500, 1_000, 2_000, 4_000, 4_000]) {
      const client = room.connect(wrong)
      let code: number | undefined
      void client.next('connack').then((connack) => {
        code = connack?.cmd === 'connack' ? connack.returnCode : undefined
      })
      await turns()
      await vi.advanceTimersByTimeAsync(delayMs - 1)
      await turns()
      expect(code).toBeUndefined()
      await vi.advanceTimersByTimeAsync(1)
      await turns()
      expect(code).toBe(4)
    }
    expect(await connackCode({ ...wrong, password: secret })).toBe(0)
    const other = room.connect(wrong, '192.0.2.8')
    expect(await other.next('connack')).toMatchObject({ returnCode: 4 })
    now += 60_000
    expect(await connackCode(wrong)).toBe(4)
  })
})

test('a login that takes too long is refused as temporary, and does not block others', async () => {
  const authenticate: BrokerPorts['authenticate'] = ({ username: id, clientId: party }) =>
    id.startsWith('slow')
      ? new Promise(() => undefined)
      : Promise.resolve({ kind: 'station', id, party, label: id })
  room = await openRoom({ authenticate }, { loginTimeoutMs: 50 })
  const slow = Array.from({ length: 2 * MAX_LOGINS_AT_ONCE }, (_, index) => `slow-${index}`)
  const codes = slow.map((username) => connackCode({ username, clientId: username, password: secret }))
  expect(new Set(await Promise.all(codes))).toEqual(new Set([3]))
  expect(await connackCode({ username: 'pc-01', clientId: 'pc-01', password: secret })).toBe(0)
})

describe('more clients than can be served at once', () => {
  const addressOf = (index: number) => `192.0.${2 + (index >> 8)}.${index & 255}`
  const connectFrom = (index: number, name = 'pc') =>
    room.connect(
      { username: `${name}-${index}`, clientId: `${name}-${index}`, password: secret },
      addressOf(index),
    )

  test('are refused as busy before their credentials are looked up, and those that wait are served', async () => {
    const lookups = slowLookups()
    room = await openRoom(lookups)
    const clients = Array.from({ length: MIN_WAITING + 200 }, (_, index) => connectFrom(index, 'flow'))
    const codes = clients.map((client) =>
      client.next('connack').then((connack) => (connack?.cmd === 'connack' ? connack.returnCode : undefined)),
    )
    const refused = () => room.broker.stats().connectionsRefused
    await expect
      .poll(() => refused() + lookups.gates.length + MIN_WAITING, { timeout: 10_000 })
      .toBe(clients.length)
    // When the queue is full, a client is refused even earlier.
    expect(await connectFrom(clients.length).next('connack')).toMatchObject({ returnCode: 3 })
    const sentAway = refused() - 1
    while (room.broker.stats().clients < clients.length - sentAway) {
      lookups.gates.shift()?.()
      await nextTurn()
    }
    const counted = Object.groupBy(await Promise.all(codes), (code) => String(code))
    expect(Object.keys(counted).sort()).toEqual(['0', '3'])
    expect(counted['3']).toHaveLength(sentAway)
    const told = room.lines.filter(({ msg }) => msg === 'mqtt connection refused')
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({ reason: 'too many clients connect at once' })
  })

  test('wait until the connected ones have reported, or had enough time to report', async () => {
    room = await openRoom({}, { loginTimeoutMs: 2_000 })
    const silent = []
    for (let index = 0; index < 128; index++) {
      const client = connectFrom(index)
      expect(await client.next('connack')).toMatchObject({ returnCode: 0 })
      silent.push(client)
    }
    let isAnswered = false
    const [first, second] = [connectFrom(300), connectFrom(301)]
    const answer = first.next('connack').finally(() => (isAnswered = true))
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    expect(isAnswered).toBe(false)
    await silent[0]?.publish(own('reported', 'pc-0'), samples.reported)
    expect(await answer).toMatchObject({ returnCode: 0 })
    expect(await second.next('connack')).toMatchObject({ returnCode: 0 })
    expect(await silent[1]?.settled()).toBe(true)
  })
})

test('a client whose messages wait for the server does not count as silent', async () => {
  const gate = Promise.withResolvers<'route'>()
  room = await openRoom({ receive: () => gate.promise })
  const station = await room.login('pc-01', { keepalive: 1 })
  for (let messageId = 1; messageId <= 40; messageId++)
    station.send({
      ...{ cmd: 'publish', topic: own('events'), qos: 1, retain: false, dup: false, messageId },
      payload: JSON.stringify({ ...samples.events, seq: messageId }),
    })
  // A client that sends nothing is disconnected, although its keepalive ends after the other's.
  await (
    await room.login('pc-02', { keepalive: 1 })
  ).closed
  gate.resolve('route')
  for (let messageId = 1; messageId <= 40; messageId++)
    expect(await station.next('puback')).toMatchObject({ messageId })
})
