import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createDeadlines } from './deadlines.ts'
import { openRoom } from './testing.ts'

beforeEach(() => vi.useFakeTimers({ now: 0, toFake: ['Date', 'setTimeout', 'clearTimeout'] }))
afterEach(() => vi.useRealTimers())

/** Time in which the process was stopped, so that its timers were late. */
function pausing() {
  const pauses: { untilMs: number; ms: number }[] = []
  return {
    nowMs: () => Date.now(),
    missedSinceMs: (sinceMs: number) =>
      pauses.filter(({ untilMs }) => untilMs > sinceMs).reduce((sum, { ms }) => sum + ms, 0),
    pause(ms: number) {
      vi.setSystemTime(Date.now() + ms)
      pauses.push({ untilMs: Date.now(), ms })
    },
  }
}

test('a deadline expires at its time, never after it was stopped, and starts again when refreshed', () => {
  const deadline = createDeadlines(pausing())
  const late: string[] = []
  deadline(1_000, () => late.push('plain'))
  const refreshed = deadline(1_000, () => late.push('refreshed'))
  deadline(1_000, () => late.push('stopped')).stop()
  vi.advanceTimersByTime(999)
  refreshed.refresh()
  expect(late).toEqual([])
  vi.advanceTimersByTime(1)
  expect(late).toEqual(['plain'])
  vi.advanceTimersByTime(999)
  expect(late).toEqual(['plain', 'refreshed'])
})

test('a deadline is extended once by the time in which the process was stopped', () => {
  const ports = pausing()
  const deadline = createDeadlines(ports)
  let late = 0
  const waiting = deadline(1_000, () => (late += 1))
  vi.advanceTimersByTime(400)
  ports.pause(30_000)
  // The timer is as late as the process.
  vi.advanceTimersByTime(600 + 29_999)
  expect(late).toBe(0)
  vi.advanceTimersByTime(1)
  expect(late).toBe(1)
  waiting.refresh()
  vi.advanceTimersByTime(1_000)
  expect(late).toBe(2)
})

test('the keepalive does not count time in which the server was stopped', async () => {
  vi.useRealTimers()
  const room = await openRoom({ missedSinceMs: () => 1_000 })
  const station = await room.login('pc-01', { keepalive: 1 })
  const startedMs = performance.now()
  await station.closed
  // One and a half times the keepalive, and the second that was missed.
  expect(performance.now() - startedMs).toBeGreaterThan(2_400)
  await room.broker.close()
})
