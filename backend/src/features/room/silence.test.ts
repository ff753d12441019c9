import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createRoom } from '../../domain/room.ts'
import type { StationRecord } from '../../domain/station.ts'
import type { Settings } from '../settings/index.ts'
import { createSilenceWatch } from './silence.ts'

beforeEach(() => vi.useFakeTimers({ now: 1_000_000, toFake: ['Date', 'setTimeout', 'clearTimeout'] }))
afterEach(() => vi.useRealTimers())

const settings = { current: () => ({ heartbeatIntervalMs: 10_000 }) } as Settings
it('a station is silent after 2.5 heartbeat intervals in which the server was running', async () => {
  let pausedUntilMs = 0
  const clock = {
    nowMs: () => Date.now(),
    missedSinceMs: (sinceMs: number) => Math.max(0, Math.min(30_000, pausedUntilMs - sinceMs)),
  }
  const room = createRoom()
  room.putStation({ id: 'pc-1', label: '', macAddress: null } as StationRecord)
  room.changePresence('pc-1', { online: true, lastHeardAtMs: Date.now() })
  const silent: string[][] = []
  const watch = createSilenceWatch(room, { settings, clock }, async () => {
    silent.push(watch.silentIds())
  })
  watch.wait()
  vi.advanceTimersByTime(5_000)
  // Stopped for 30 s. The timer is due as soon as the process continues, before it reads any message.
  pausedUntilMs = Date.now() + 30_000
  vi.setSystemTime(pausedUntilMs)
  await vi.advanceTimersByTimeAsync(19_999)
  expect(silent.flat()).toEqual([])
  await vi.advanceTimersByTimeAsync(2_000)
  expect(silent.flat()[0]).toBe('pc-1')
  await watch.stop()
})
