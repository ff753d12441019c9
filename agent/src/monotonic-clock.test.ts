import { expect, it } from 'vitest'
import { createMonotonicClock } from './monotonic-clock.ts'

it('the clock includes the time that the machine slept, and never goes back', () => {
  let processMs = 100
  let uptimeMs = 50_000
  const nowMs = createMonotonicClock(
    () => processMs,
    () => uptimeMs,
  )
  expect(nowMs()).toBe(100)
  processMs += 1_000
  uptimeMs += 1_000
  expect(nowMs()).toBe(1_100)
  // The machine sleeps for an hour.
  processMs += 600
  uptimeMs += 3_600_600
  expect(nowMs()).toBe(3_601_700)
  // An uptime that is read a little late is not a sleep.
  processMs += 600
  uptimeMs += 650
  expect(nowMs()).toBe(3_602_300)
})
