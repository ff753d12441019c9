import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { createBackoff, nextDelay, type BackoffLimits } from './backoff.ts'

const limits = fc
  .record({ leastMs: fc.integer({ min: 1, max: 10_000 }), more: fc.integer({ min: 0, max: 120_000 }) })
  .map(({ leastMs, more }): BackoffLimits => ({ leastMs, mostMs: leastMs + more }))
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const previous = fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: undefined })

describe('the delay before the next attempt', () => {
  it('stays within its limits, whatever came before', () => {
    fc.assert(
      fc.property(previous, limits, random, (previousMs, { leastMs, mostMs }, chance) => {
        const delayMs = nextDelay(previousMs, { leastMs, mostMs }, chance)
        expect(delayMs).toBeGreaterThanOrEqual(leastMs)
        expect(delayMs).toBeLessThanOrEqual(mostMs)
      }),
    )
  })

  it('is at most three times the one before, or the shortest', () => {
    fc.assert(
      fc.property(previous, limits, random, (previousMs, { leastMs, mostMs }, chance) => {
        const delayMs = nextDelay(previousMs, { leastMs, mostMs }, chance)
        expect(delayMs).toBeLessThanOrEqual(Math.max(leastMs, (previousMs ?? leastMs) * 3))
      }),
    )
  })

  it('grows with chance, and with the wait before', () => {
    fc.assert(
      fc.property(previous, limits, random, random, (previousMs, range, one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)]
        expect(nextDelay(previousMs, range, less)).toBeLessThanOrEqual(nextDelay(previousMs, range, more))
        const longerMs = (previousMs ?? 0) + 1_000
        expect(nextDelay(previousMs ?? 0, range, one)).toBeLessThanOrEqual(nextDelay(longerMs, range, one))
      }),
    )
  })
})

describe('a row of attempts', () => {
  it('grows patient up to its limit and begins anew once it is reset', () => {
    const backoff = createBackoff({ leastMs: 100, mostMs: 5_000 }, () => 0.999_999)
    const waits = Array.from({ length: 6 }, () => backoff.nextMs())
    expect(waits).toEqual([300, 900, 2_700, 5_000, 5_000, 5_000])
    backoff.reset()
    expect(backoff.nextMs()).toBe(300)
  })
})
