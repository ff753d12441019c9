import { afterEach, beforeEach, expect, test } from 'vitest'
import { frame, openRoom, own, samples, type RawClient, type Room } from '../testing.ts'

let room: Room
beforeEach(async () => {
  room = await openRoom()
})
afterEach(() => room.broker.close())

const lost = { ...samples.presence, online: false, cause: 'lost' }
const will = (payload: object | string = lost, flags: { qos?: 0 | 1 | 2; retain?: boolean } = {}) => ({
  will: {
    topic: own('presence'),
    payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
    qos: 1 as const,
    retain: true,
    ...flags,
  },
})

async function watching(...topics: string[]): Promise<RawClient> {
  const watcher = await room.login('diag')
  expect(await watcher.subscribe(...topics)).toBe(true)
  return watcher
}
const causes = ({ messages }: RawClient) =>
  messages.map(({ payload, retain }) => [(JSON.parse(payload) as { cause: string }).cause, retain])

test('when the connection breaks, the will is processed, routed and retained like any message [MQTT-3.1.2-8]', async () => {
  const watcher = await watching(own('presence'))
  const station = await room.login('pc-01', will())
  station.cut()
  await expect.poll(() => causes(watcher)).toEqual([['lost', false]])
  expect(room.received).toMatchObject([{ principal: { id: 'pc-01' }, ip: '192.0.2.7', payload: lost }])
  const late = await watching('escale/v1/stations/+/presence')
  await expect.poll(() => causes(late)).toEqual([['lost', true]])
})

test('a will outside its schema is dropped', async () => {
  const station = await room.login('pc-01', will('gone'))
  station.cut()
  await expect.poll(() => room.broker.stats().dropped).toBe(1)
  expect(room.received).toEqual([])
})

test('the topic table decides whether a will is retained, and its QoS [MQTT-3.1.2-16, MQTT-3.1.2-17]', async () => {
  const watcher = await watching(own('presence'))
  const station = await room.login('pc-01', will(lost, { qos: 0, retain: false }))
  station.cut()
  await expect.poll(() => watcher.messages).toMatchObject([{ qos: 1, retain: false }])
  const late = await watching('escale/v1/stations/+/presence')
  await expect.poll(() => causes(late)).toEqual([['lost', true]])
})

test('after a DISCONNECT the will is not published [MQTT-3.1.2-10, MQTT-3.14.4-3]', async () => {
  const station = await room.login('pc-01', will())
  station.send({ cmd: 'disconnect' })
  await station.closed
  // The will of another client is processed later. When it has arrived, the first one would have arrived too.
  const other = await room.login('pc-02', {
    will: { topic: own('presence', 'pc-02'), payload: Buffer.from(JSON.stringify(lost)), qos: 1 },
  })
  other.cut()
  await expect.poll(() => room.received.map(({ party }) => party)).toEqual(['pc-02'])
})

test.each<[string, Uint8Array]>([
  ['a DISCONNECT with reserved flags is not a clean end [MQTT-3.14.1-1]', frame(0xe1)],
  ['a DISCONNECT with a body is not a clean end', frame(0xe0, 0)],
  ['a malformed packet is not a clean end [MQTT-4.8.0-1]', frame(0xf0)],
])('%s: the will is published [MQTT-3.1.2-8]', async (_, bytes) => {
  const station = await room.login('pc-01', will())
  station.write(bytes)
  await station.closed
  await expect.poll(() => room.received).toHaveLength(1)
})

test('a will is sent once [MQTT-3.1.2-10]', async () => {
  const watcher = await watching(own('presence'))
  const station = await room.login('pc-01', will())
  station.cut()
  await expect.poll(() => watcher.messages).toHaveLength(1)
  const successor = await room.login('pc-01')
  successor.send({ cmd: 'disconnect' })
  await successor.closed
  await watcher.settled()
  expect(watcher.messages).toHaveLength(1)
})

test('an empty will is accepted and has no effect, because no client may clear a retained message [MQTT-3.1.3-12]', async () => {
  const station = await room.login('pc-01', will(''))
  await station.publish(own('presence'), samples.presence)
  station.cut()
  await expect.poll(() => room.broker.stats().dropped).toBe(1)
  const late = await watching(own('presence'))
  await expect.poll(() => causes(late)).toEqual([['birth', true]])
})
