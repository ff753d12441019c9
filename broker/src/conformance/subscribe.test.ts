import { afterEach, beforeEach, expect, test } from 'vitest'
import { frame, openRoom, own, type RawClient, type Room } from '../testing.ts'

let room: Room
let diag: RawClient
beforeEach(async () => {
  room = await openRoom()
  diag = await room.login('diag')
})
afterEach(() => room.broker.close())

const happened = (kind: string) =>
  room.broker.publish('domainEvent', kind, { kind, at: '2026-01-01T08:00:00Z', details: {} })
const topicsOf = ({ messages }: RawClient) => messages.map(({ topic }) => topic)

test('a SUBACK has the id, and one code for each filter in order [MQTT-3.8.4-1, MQTT-3.8.4-2, MQTT-3.8.4-4, MQTT-3.8.4-5]', async () => {
  diag.send({
    cmd: 'subscribe',
    messageId: 0x1234,
    subscriptions: [
      { topic: own('ack'), qos: 2 },
      { topic: own('reported'), qos: 0 },
      { topic: own('presence'), qos: 1 },
    ],
  })
  expect(await diag.next('suback')).toMatchObject({ messageId: 0x1234, granted: [2, 0, 1] })
})

test('a second subscription to the same filter replaces the first [MQTT-3.8.4-3]', async () => {
  for (const qos of [1, 0] as const) {
    diag.send({ cmd: 'subscribe', messageId: 3, subscriptions: [{ topic: 'escale/v1/events/#', qos }] })
    await diag.next('suback')
  }
  await happened('x')
  await expect.poll(() => diag.messages).toMatchObject([{ qos: 0 }])
})

test('a message is delivered once when filters overlap, with the highest QoS of them [MQTT-3.3.5-1]', async () => {
  const subscribe = async (topic: string, qos: 0 | 1) => {
    diag.send({ cmd: 'subscribe', messageId: 3, subscriptions: [{ topic, qos }] })
    await diag.next('suback')
  }
  await subscribe('escale/v1/#', 0)
  await subscribe('escale/v1/events/+', 1)
  for (const kind of ['session.started', 'session.ended']) await happened(kind)
  await diag.settled()
  expect(diag.messages).toMatchObject([
    { topic: 'escale/v1/events/session.started', qos: 1 },
    { topic: 'escale/v1/events/session.ended', qos: 1 },
  ])
})

test('an UNSUBSCRIBE is answered with its id, and ends exactly the named subscriptions [MQTT-3.10.4-1, MQTT-3.10.4-2, MQTT-3.10.4-4, MQTT-3.10.4-6]', async () => {
  await diag.subscribe('escale/v1/events/#', 'escale/v1/events/+', own('command'))
  const unsubscriptions = ['escale/v1/events/#', own('command'), own('desired')]
  diag.send({ cmd: 'unsubscribe', messageId: 0xfffe, unsubscriptions })
  expect(await diag.next('unsuback')).toMatchObject({ messageId: 0xfffe })
  await happened('x')
  await room.broker.publish('command', 'pc-01', {
    id: 'c',
    op: 'lock',
    params: {},
    expiresAt: '2026-01-01T08:00:00Z',
  })
  await diag.settled()
  expect(topicsOf(diag)).toEqual(['escale/v1/events/x'])
})

test('an UNSUBSCRIBE without a matching subscription is answered too [MQTT-3.10.4-5]', async () => {
  diag.send({ cmd: 'unsubscribe', messageId: 5, unsubscriptions: ['a/b'] })
  expect(await diag.next('unsuback')).toMatchObject({ messageId: 5 })
})

test('topics differ by case, by a leading slash and by a byte order mark [MQTT-1.5.3-3, MQTT-4.7.3-4]', async () => {
  const flow = await room.login('flow')
  await flow.subscribe('escale/v1/events/a')
  for (const kind of ['A', 'a/', '\uFEFFa', 'a']) await happened(kind)
  await flow.settled()
  expect(topicsOf(flow)).toEqual(['escale/v1/events/a'])
})

test('+ matches one level, # any number of levels and the parent [MQTT-4.7.1-2, MQTT-4.7.1-3]', async () => {
  const flow = await room.login('flow')
  await flow.subscribe('escale/v1/events/+')
  await diag.subscribe('escale/v1/#')
  for (const kind of ['one', 'one/two']) await happened(kind)
  await Promise.all([flow.settled(), diag.settled()])
  expect(topicsOf(flow)).toEqual(['escale/v1/events/one'])
  expect(topicsOf(diag)).toEqual(['escale/v1/events/one', 'escale/v1/events/one/two'])
})

test('a retained message is delivered with at most the granted QoS, also for a wildcard [MQTT-3.8.4-6]', async () => {
  await room.broker.publish('desired', 'pc-01', {
    version: 1,
    state: 'locked',
    sentAt: '2026-01-01T08:00:00Z',
  })
  const subscriptions = [{ topic: 'escale/v1/stations/+/desired', qos: 0 as const }]
  diag.send({ cmd: 'subscribe', messageId: 3, subscriptions })
  await expect.poll(() => diag.messages).toMatchObject([{ qos: 0, retain: true }])
})

test('a leading wildcard does not match topics under $SYS [MQTT-4.7.2-1]', async () => {
  await diag.subscribe('escale/v1/#')
  const other = await room.login('flow')
  await other.subscribe('escale/v1/events/#')
  await diag.settled()
  expect(topicsOf(diag).filter((topic) => topic.startsWith('$'))).toEqual([])
})

test.each<[string, Uint8Array]>([
  ['no filter at all [MQTT-3.8.3-3]', frame(0x82, 0, 1)],
  ['an UNSUBSCRIBE without any filter [MQTT-3.10.3-2]', frame(0xa2, 0, 1)],
  ['an empty filter [MQTT-4.7.3-1]', frame(0x82, 0, 1, '', 0)],
  ['an empty filter to unsubscribe [MQTT-4.7.3-1]', frame(0xa2, 0, 1, '')],
  ['a filter without its QoS', frame(0x82, 0, 1, 'escale/v1/#')],
  ['a QoS of 3 [MQTT-3.8.3-4]', frame(0x82, 0, 1, 'escale/v1/#', 3)],
  ['reserved bits beside the QoS [MQTT-3.8.3-4]', frame(0x82, 0, 1, 'escale/v1/#', 0x41)],
  ['a # that is not the last level [MQTT-4.7.1-2]', frame(0x82, 0, 1, 'escale/#/x', 0)],
  ['a # that is only a part of a level [MQTT-4.7.1-2]', frame(0x82, 0, 1, 'escale/v1#', 0)],
  ['a + that is only a part of a level [MQTT-4.7.1-3]', frame(0x82, 0, 1, 'escale/v1/ev+', 0)],
])('%s closes the connection', async (_, bytes) => {
  diag.write(bytes)
  await diag.closed
  expect(await diag.next('suback', 'unsuback')).toBeUndefined()
})
