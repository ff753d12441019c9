import { afterEach, beforeEach, expect, test } from 'vitest'
import { openRoom, own, samples, type RawClient, type Room } from '../testing.ts'

let room: Room
beforeEach(async () => {
  room = await openRoom()
})
afterEach(() => room.broker.close())

const desired = (version: number) =>
  room.broker.publish('desired', 'pc-01', { version, state: 'locked', sentAt: '2026-01-01T08:00:00Z' })
const happened = (kind: string) =>
  room.broker.publish('domainEvent', kind, { kind, at: '2026-01-01T08:00:00Z', details: {} })
const heard = ({ messages }: RawClient) =>
  messages.map(({ payload, retain }) => [(JSON.parse(payload) as { version: number }).version, retain])

test('the last retained message is delivered to each new subscription with the retain flag [MQTT-3.3.1-5, MQTT-3.3.1-6, MQTT-3.3.1-8]', async () => {
  await desired(1)
  await desired(2)
  const watcher = await room.login('diag')
  await watcher.subscribe('escale/v1/stations/+/desired')
  await expect.poll(() => heard(watcher)).toEqual([[2, true]])
})

test('an existing subscription gets it without the retain flag [MQTT-3.3.1-9]', async () => {
  const watcher = await room.login('diag')
  await watcher.subscribe(own('desired'))
  await desired(1)
  await expect.poll(() => heard(watcher)).toEqual([[1, false]])
})

test('a repeated subscription gets it again, and later messages only once [MQTT-3.8.4-3]', async () => {
  await desired(1)
  const watcher = await room.login('diag')
  await watcher.subscribe(own('desired'))
  await watcher.subscribe(own('desired'))
  await expect
    .poll(() => heard(watcher))
    .toEqual([
      [1, true],
      [1, true],
    ])
  await desired(2)
  await expect.poll(() => heard(watcher).slice(2)).toEqual([[2, false]])
})

test('an empty message removes it, and is not retained itself [MQTT-3.3.1-10, MQTT-3.3.1-11]', async () => {
  await desired(1)
  const watcher = await room.login('diag')
  await watcher.subscribe(own('desired'))
  await expect.poll(() => watcher.messages).toHaveLength(1)
  await room.broker.clearRetained('pc-01')
  await expect.poll(() => watcher.messages.at(-1)).toMatchObject({ payload: '', retain: false })
  const late = await room.login('diag', { clientId: 'diag:late' })
  await late.subscribe('escale/v1/#')
  await late.settled()
  expect(late.messages).toEqual([])
})

test('a message without the retain flag does not replace it, and is not delivered to later subscriptions [MQTT-3.3.1-12]', async () => {
  await happened('session.started')
  const watcher = await room.login('diag')
  await watcher.subscribe('escale/v1/events/#')
  await happened('session.ended')
  await expect.poll(() => watcher.messages).toMatchObject([{ topic: 'escale/v1/events/session.ended' }])
})

test('a retained message stays when its publisher disconnects', async () => {
  const station = await room.login('pc-01')
  await station.publish(own('reported'), samples.reported)
  station.cut()
  await station.closed
  const watcher = await room.login('diag')
  await watcher.subscribe(own('reported'))
  await expect.poll(() => watcher.messages).toMatchObject([{ retain: true, qos: 1 }])
})
