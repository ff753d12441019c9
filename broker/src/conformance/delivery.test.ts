import { afterEach, beforeEach, expect, test } from 'vitest'
import { frame, openRoom, own, samples, type RawClient, type Room } from '../testing.ts'

let room: Room
let station: RawClient
beforeEach(async () => {
  room = await openRoom()
  station = await room.login('pc-01')
})
afterEach(() => room.broker.close())

const event = (seq: number) => JSON.stringify({ ...samples.events, seq })
const publish = (qos: 0 | 1 | 2, messageId: number, payload = event(messageId), dup = false) =>
  station.send({
    cmd: 'publish',
    topic: own('events'),
    payload,
    qos,
    retain: false,
    dup,
    ...(qos > 0 && { messageId }),
  })
const happened = (kind: string) =>
  room.broker.publish('domainEvent', kind, { kind, at: '2026-01-01T08:00:00Z', details: {} })

async function watching(topic = own('events'), qos: 0 | 1 | 2 = 1): Promise<RawClient> {
  const watcher = await room.login('diag')
  watcher.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] })
  await watcher.next('suback')
  return watcher
}
const seqs = ({ messages }: RawClient) =>
  messages.map(({ payload }) => (JSON.parse(payload) as { seq: number }).seq)

test('QoS 0 is accepted and not answered [MQTT-4.3.1-1]', async () => {
  publish(0, 1)
  station.send({ cmd: 'pingreq' })
  expect((await station.next('puback', 'pubrec', 'pingresp'))?.cmd).toBe('pingresp')
  expect(room.received).toHaveLength(1)
})

test('QoS 1 is answered by a PUBACK with the same id, up to the highest id [MQTT-2.3.1-6, MQTT-4.3.2-2]', async () => {
  for (const messageId of [1, 0x0100, 0xffff]) {
    publish(1, messageId)
    expect(await station.next('puback')).toMatchObject({ messageId })
  }
  expect(room.received).toHaveLength(3)
})

test('an id that was acknowledged can be used again for a new message [MQTT-2.3.1-4, MQTT-4.3.2-2]', async () => {
  const watcher = await watching()
  for (const seq of [1, 2]) {
    publish(1, 9, event(seq), seq === 2)
    await station.next('puback')
  }
  await expect.poll(() => seqs(watcher)).toEqual([1, 2])
})

test('QoS 2 uses PUBREC, PUBREL and PUBCOMP with one id [MQTT-4.3.3-2, MQTT-2.3.1-6]', async () => {
  publish(2, 77)
  expect(await station.next('pubrec')).toMatchObject({ messageId: 77 })
  station.send({ cmd: 'pubrel', messageId: 77 })
  expect(await station.next('pubcomp')).toMatchObject({ messageId: 77 })
  expect(room.received).toHaveLength(1)
})

test('a QoS 2 message that is repeated before its PUBREL is delivered once [MQTT-4.3.3-2]', async () => {
  const watcher = await watching()
  publish(2, 5)
  await station.next('pubrec')
  publish(2, 5, event(5), true)
  expect(await station.next('pubrec')).toMatchObject({ messageId: 5 })
  station.send({ cmd: 'pubrel', messageId: 5 })
  await station.next('pubcomp')
  expect(room.received).toHaveLength(1)
  await expect.poll(() => seqs(watcher)).toEqual([5])
  publish(2, 5, event(6))
  await station.next('pubrec')
  await expect.poll(() => seqs(watcher)).toEqual([5, 6])
})

test('a PUBREL of an unknown or completed message is answered [MQTT-4.3.3-2]', async () => {
  station.send({ cmd: 'pubrel', messageId: 4242 })
  expect(await station.next('pubcomp')).toMatchObject({ messageId: 4242 })
})

test('unexpected acknowledgements have no effect', async () => {
  for (const cmd of ['puback', 'pubrec', 'pubcomp'] as const) station.send({ cmd, messageId: 9 })
  expect(await station.settled()).toBe(true)
})

test('messages of one client are acknowledged and delivered in the order sent [MQTT-4.6.0-2, MQTT-4.6.0-5, MQTT-4.6.0-6]', async () => {
  const watcher = await watching()
  const order = Array.from({ length: 50 }, (_, index) => index + 1)
  station.write(Buffer.concat(order.map((id) => frame(0x32, own('events'), 0, id, Buffer.from(event(id))))))
  for (const messageId of order) expect(await station.next('puback')).toMatchObject({ messageId })
  await expect.poll(() => seqs(watcher)).toEqual(order)
})

test('messages sent byte by byte, or many in one chunk, are understood [MQTT-4.2.0-1]', async () => {
  const bytes = frame(0x32, own('events'), 1, 0, Buffer.from(event(1)))
  for (const byte of bytes) station.write(Uint8Array.of(byte))
  expect(await station.next('puback')).toMatchObject({ messageId: 256 })
})

test.each<[string, 0 | 1 | 2, number]>([
  ['QoS 1 is delivered with QoS 0 to a subscription of QoS 0 [MQTT-3.8.4-6]', 0, 0],
  ['QoS 1 is delivered with QoS 1 to a subscription of QoS 1 [MQTT-3.8.4-6]', 1, 1],
  ['QoS 1 is delivered with QoS 1 to a subscription of QoS 2 [MQTT-3.8.4-6]', 2, 1],
])('%s', async (_, asked, qos) => {
  const watcher = await watching('escale/v1/events/#', asked)
  await happened('x')
  await expect.poll(() => watcher.messages).toMatchObject([{ qos }])
})

test('each unacknowledged message to a client has its own id, never 0, and no DUP flag [MQTT-2.3.1-1, MQTT-2.3.1-4, MQTT-3.3.1-1]', async () => {
  const watcher = await watching('escale/v1/events/#')
  for (let sent = 0; sent < 300; sent++) void happened(`e${sent}`)
  const ids = new Set<number>()
  for (let come = 0; come < 300; come++) {
    const packet = await watcher.next('publish')
    if (packet?.cmd !== 'publish') throw new Error('closed')
    expect(packet.dup).toBe(false)
    ids.add(packet.messageId ?? 0)
  }
  expect(ids.size).toBe(300)
  expect(ids.has(0)).toBe(false)
})

test('a message that is never acknowledged does not delay later ones', async () => {
  const watcher = await watching('escale/v1/events/#')
  for (let sent = 0; sent < 100; sent++) await happened(`e${sent}`)
  await watcher.settled()
  expect(watcher.messages).toHaveLength(100)
})
