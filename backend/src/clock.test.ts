import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createPauses } from './clock.ts'

let nowMs: number
beforeEach(() => {
  nowMs = 1_000
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => vi.useRealTimers())

/** Time passes while the process runs. */
function run(ms: number) {
  for (let ran = 0; ran < ms; ran += 100) {
    nowMs += 100
    vi.advanceTimersByTime(100)
  }
}

it('does not count time in which the process runs, even with a late timer', () => {
  const pauses = createPauses(() => nowMs)
  run(60_000)
  nowMs += 400
  run(60_000)
  expect(pauses.missedSinceMs(0)).toBe(0)
})

it('counts a pause before the first timer, and only its part after an instant', () => {
  const pauses = createPauses(() => nowMs)
  run(10_000)
  const beforeMs = nowMs
  nowMs += 30_000
  expect(pauses.missedSinceMs(beforeMs)).toBe(30_000)
  expect(pauses.missedSinceMs(beforeMs + 20_000)).toBe(10_000)
  expect(pauses.missedSinceMs(nowMs)).toBe(0)
  run(5_000)
  nowMs += 2_000
  expect(pauses.missedSinceMs(beforeMs)).toBe(32_000)
  expect(pauses.missedSinceMs(nowMs - 3_000)).toBe(2_000)
})
