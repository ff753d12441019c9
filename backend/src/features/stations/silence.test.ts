import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { StationPresenceRow } from '../../db/rows.ts'
import type { Settings } from '../settings/index.ts'
import { createSilenceWatch } from './silence.ts'

beforeEach(() => vi.useFakeTimers({ now: 1_000_000, toFake: ['Date', 'setTimeout', 'clearTimeout'] }))
afterEach(() => vi.useRealTimers())

const settings = { current: () => ({ heartbeatIntervalMs: 10_000 }) } as Settings
const onlineSince = (lastHeardAtMs: number) =>
  ({ stationId: 'pc-1', online: true, lastHeardAtMs }) as StationPresenceRow

it('a station is silent after 2.5 heartbeats in which the server was listening', () => {
  let pausedUntilMs = 0
  const clock = {
    nowMs: () => Date.now(),
    missedSinceMs: (sinceMs: number) => Math.max(0, Math.min(30_000, pausedUntilMs - sinceMs)),
  }
  const rows = new Map([['pc-1', onlineSince(Date.now())]])
  const silent: string[][] = []
  const watch = createSilenceWatch(rows, { settings, clock }, () => {
    silent.push(watch.silentIds())
    watch.wait()
  })
  watch.wait()
  vi.advanceTimersByTime(5_000)
  // Frozen for 30 s; its timer is due as soon as it goes on, before anything is read.
  pausedUntilMs = Date.now() + 30_000
  vi.setSystemTime(pausedUntilMs)
  vi.advanceTimersByTime(19_999)
  expect(silent.flat()).toEqual([])
  vi.advanceTimersByTime(2_000)
  expect(silent.flat()[0]).toBe('pc-1')
  watch.stop()
})
