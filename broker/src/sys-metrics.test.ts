import { afterEach, describe, expect, test } from 'vitest'
import { openRoom, own, samples, type Room } from './testing.ts'

let room: Room
afterEach(() => room.broker.close())

const metric = (messages: { topic: string; payload: string }[], name: string) =>
  messages.findLast(({ topic }) => topic === `$SYS/broker/${name}`)?.payload

describe('$SYS', () => {
  test('publishes the broker’s metrics to diagnostics at once, and then regularly', async () => {
    room = await openRoom({}, { sysIntervalMs: 20 })
    const watcher = await room.login('diag')
    await watcher.subscribe('$SYS/#')
    await expect.poll(() => metric(watcher.messages, 'clients/connected')).toBe('1')

    const station = await room.login('pc-01')
    await station.publish(own('presence'), samples.presence, { retain: true })
    await station.publish(own('ack'), 'garbage')
    const told = () =>
      ['clients/connected', 'messages/received', 'retained messages/count', 'dropped/payload'].map((name) =>
        metric(watcher.messages, name),
      )
    await expect.poll(told).toEqual(['2', '2', '1', '1'])
    expect(Number(metric(watcher.messages, 'load/messages/received/1min'))).toBeGreaterThan(0)
    expect(Number(metric(watcher.messages, 'messages/sent'))).toBeGreaterThan(0)

    await room.broker.clearRetained('pc-01')
    await expect.poll(() => metric(watcher.messages, 'retained messages/count')).toBe('0')
  })
})
