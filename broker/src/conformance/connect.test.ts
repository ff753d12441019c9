import { afterEach, beforeEach, expect, test } from 'vitest'
import { frame, openRoom, own, samples, type RawClient, type Room } from '../testing.ts'

/** Clauses in brackets are normative statements of MQTT 3.1.1 (OASIS Standard, 29 October 2014). */

let room: Room
beforeEach(async () => {
  room = await openRoom({}, { connectTimeoutMs: 30 })
})
afterEach(() => room.broker.close())

const USER = 0x80
const PASSWORD = 0x40
const WILL = 0x04
const CLEAN = 0x02
const RESERVED = 0x01
const LOGIN = USER | PASSWORD | CLEAN
const identity = ['pc-01', 'pc-01', 'secret']

interface Head {
  name?: string
  level?: number
  flags?: number
}

/** A CONNECT of pc-01 with a keepalive of 60 s. */
const connect = ({ name = 'MQTT', level = 4, flags = LOGIN }: Head = {}, ...fields: (string | number)[]) =>
  frame(0x10, name, level, flags, 0, 60, ...(fields.length === 0 ? identity : fields))

/** The answer to these bytes: a return code, or `closed` if the connection is closed without an answer. */
async function answerTo(bytes: Uint8Array): Promise<number | 'closed'> {
  const client = room.attach()
  client.write(bytes)
  const connack = await client.next('connack')
  if (connack?.cmd !== 'connack') return 'closed'
  expect(connack.sessionPresent).toBe(false)
  if (connack.returnCode !== 0) await client.closed
  return connack.returnCode ?? 'closed'
}

/** Logs in packet by packet, so that a test can check the CONNACK. */
async function loggedIn(bytes: Uint8Array = connect()): Promise<RawClient> {
  const client = room.attach()
  client.write(bytes)
  expect(await client.next('connack')).toMatchObject({ returnCode: 0, sessionPresent: false })
  return client
}

test('the first packet must be a CONNECT [MQTT-3.1.0-1]', async () => {
  const client = room.attach()
  client.send({ cmd: 'pingreq' })
  await client.closed
  expect(await client.next('pingresp')).toBeUndefined()
})

test('a socket that never says CONNECT is closed [MQTT-3.1.4, non-normative]', async () => {
  await room.attach().closed
  expect(room.lines).toContainEqual(expect.objectContaining({ reason: 'connect did not arrive in time' }))
})

test('a second CONNECT closes the connection, and its will is published [MQTT-3.1.0-2]', async () => {
  const will = {
    topic: own('presence'),
    payload: Buffer.from(JSON.stringify(samples.presence)),
    qos: 1 as const,
  }
  const client = await room.login('pc-01', { will })
  client.write(connect())
  await client.closed
  await expect.poll(() => room.received.map(({ name }) => name)).toEqual(['presence'])
})

test('a second CONNECT right after the first closes the connection too [MQTT-3.1.0-2]', async () => {
  const client = room.attach()
  client.write(Buffer.concat([connect(), connect()]))
  await client.closed
})

test.each<[string, Head, number | 'closed']>([
  ['MQTT 3.1.1 is accepted', {}, 0],
  ['an unknown protocol name is refused [MQTT-3.1.2-1]', { name: 'MQTX' }, 'closed'],
  ['a protocol name in another case is refused [MQTT-3.1.2-1]', { name: 'mqtt' }, 'closed'],
  ['MQTT 3.1 is refused with code 1 [MQTT-3.1.2-2]', { name: 'MQIsdp', level: 3 }, 1],
  ['level 0 is refused with code 1 [MQTT-3.1.2-2]', { level: 0 }, 1],
  ['level 3 under the new name is refused with code 1 [MQTT-3.1.2-2]', { level: 3 }, 1],
  ['MQTT 5 is refused with code 1, which makes clients fall back [MQTT-3.1.2-2]', { level: 5 }, 1],
  ['level 6 is refused with code 1 [MQTT-3.1.2-2]', { level: 6 }, 1],
  [
    'the bridge bit makes level 4 another level, which is refused with code 1 [MQTT-3.1.2-2]',
    { level: 0x84 },
    1,
  ],
  ['a reserved connect flag closes [MQTT-3.1.2-3]', { flags: LOGIN | RESERVED }, 'closed'],
  ['a will QoS without a will closes [MQTT-3.1.2-11, MQTT-3.1.2-13]', { flags: LOGIN | 0x08 }, 'closed'],
  ['a will retain without a will closes [MQTT-3.1.2-11, MQTT-3.1.2-15]', { flags: LOGIN | 0x20 }, 'closed'],
])('%s', async (_, head, answer) => {
  expect(await answerTo(connect(head))).toBe(answer)
})

test.each<[string, number, (string | number)[], number | 'closed']>([
  [
    'a will QoS of 3 closes [MQTT-3.1.2-14]',
    LOGIN | WILL | 0x18,
    ['pc-01', own('presence'), 'x', 'pc-01', 'secret'],
    'closed',
  ],
  ['a will flag without a will closes [MQTT-3.1.2-9]', LOGIN | WILL, identity.slice(0, 1), 'closed'],
  ['a user name flag without a name closes [MQTT-3.1.2-19]', LOGIN, ['pc-01'], 'closed'],
  ['a password flag without a password closes [MQTT-3.1.2-21]', LOGIN, ['pc-01', 'pc-01'], 'closed'],
  ['a password without a user name is refused [MQTT-3.1.2-22]', PASSWORD | CLEAN, ['pc-01', 'secret'], 5],
  ['fields without their flag close [MQTT-3.1.2-18, MQTT-3.1.2-20]', CLEAN, identity, 'closed'],
  ['a missing client id closes [MQTT-3.1.3-3]', LOGIN, [0], 'closed'],
  [
    'an empty client id that wants its session kept is refused [MQTT-3.1.3-8, MQTT-3.1.3-9]',
    USER | PASSWORD,
    ['', 'pc-01', 'secret'],
    2,
  ],
  [
    'an empty client id is refused anyway, for it must be the user name [MQTT-3.1.3-9]',
    LOGIN,
    ['', 'pc-01', 'secret'],
    2,
  ],
  [
    'digits, letters and 23 characters make a client id [MQTT-3.1.3-5]',
    LOGIN,
    ['pc-0123456789abcdefghijk', 'pc-0123456789abcdefghijk', 'secret'],
    0,
  ],
])('%s', async (_, flags, fields, answer) => {
  expect(await answerTo(connect({ flags }, ...fields))).toBe(answer)
})

test('a persistent session lasts only as long as its connection, and the CONNACK says so [MQTT-3.2.2-3, MQTT-4.1.0-2]', async () => {
  const flags = USER | PASSWORD
  const kept = connect({ flags }, 'diag', 'diag', 'secret')
  const first = await loggedIn(kept)
  await first.subscribe('escale/v1/events/#')
  first.cut()
  await first.closed
  await expect.poll(() => room.broker.stats().clients).toBe(0)
  await room.broker.publish('domainEvent', 'x', { kind: 'x', at: '2026-01-01T08:00:00Z', details: {} })
  const again = await loggedIn(kept)
  await room.broker.publish('domainEvent', 'y', { kind: 'y', at: '2026-01-01T08:00:00Z', details: {} })
  await again.settled()
  expect(again.messages).toEqual([])
})

test('the same client id replaces the older connection, whose will is published [MQTT-3.1.4-2]', async () => {
  const payload = Buffer.from(JSON.stringify({ ...samples.presence, online: false, cause: 'lost' }))
  const old = await room.login('pc-01', { will: { topic: own('presence'), payload, qos: 1 } })
  for (const suffix of ['a', 'b', 'c']) await room.login('pc-01', { clientId: `pc-01:${suffix}` })
  const young = await room.login('pc-01')
  await old.closed
  expect(await young.settled()).toBe(true)
  expect(room.broker.stats().clients).toBe(4)
  await expect.poll(() => room.received.map(({ name }) => name)).toEqual(['presence'])
})

test('of many connections with the same client id at once one remains [MQTT-3.1.4-2]', async () => {
  const logins = Array.from({ length: 20 }, () => room.login('pc-01').catch(() => undefined))
  const clients = (await Promise.all(logins)).filter((client) => client !== undefined)
  await expect.poll(() => room.broker.stats().clients).toBe(1)
  const alive = await Promise.all(clients.map((client) => client.settled()))
  expect(alive.filter(Boolean)).toHaveLength(1)
})

test('packets sent right after a CONNECT are answered after its CONNACK [MQTT-3.1.4-5, MQTT-3.2.0-1]', async () => {
  const client = room.attach()
  const subscribe = frame(0x82, 0, 7, own('command'), 1)
  const publish = frame(0x32, own('ack'), 0, 8, Buffer.from(JSON.stringify(samples.ack)))
  client.write(Buffer.concat([connect(), subscribe, publish, frame(0xc0)]))
  expect((await client.next('connack', 'suback', 'puback', 'pingresp'))?.cmd).toBe('connack')
  expect(await client.next('suback')).toMatchObject({ messageId: 7, granted: [1] })
  expect(await client.next('puback')).toMatchObject({ messageId: 8 })
  expect(await client.next('pingresp')).toBeDefined()
  expect(room.received.map(({ name }) => name)).toEqual(['ack'])
})

test('packets after a refused CONNECT are not processed [MQTT-3.1.4-5, MQTT-3.2.2-5]', async () => {
  const client = room.attach()
  const publish = frame(0x32, own('ack'), 0, 8, Buffer.from(JSON.stringify(samples.ack)))
  client.write(Buffer.concat([connect({}, 'pc-01', 'pc-01', 'wrong'), publish]))
  expect(await client.next('connack')).toMatchObject({ returnCode: 4 })
  await client.closed
  expect(room.received).toEqual([])
  expect(await client.next('puback')).toBeUndefined()
})

test('a silent client is disconnected after one and a half keepalives, and its will is published [MQTT-3.1.2-24]', async () => {
  const payload = Buffer.from(JSON.stringify(samples.presence))
  const will = { topic: own('presence'), payload, qos: 1 as const, retain: true }
  const client = await room.login('pc-01', { keepalive: 1, will })
  const startedMs = performance.now()
  await client.closed
  expect(performance.now() - startedMs).toBeGreaterThan(1_400)
  await expect.poll(() => room.received.map(({ name }) => name)).toEqual(['presence'])
})

test('a PINGREQ is answered [MQTT-3.12.4-1]', async () => {
  expect(await (await loggedIn()).settled()).toBe(true)
})

test('DISCONNECT closes the connection [MQTT-3.14.4-2]', async () => {
  const client = await loggedIn()
  client.send({ cmd: 'disconnect' })
  await client.closed
})
