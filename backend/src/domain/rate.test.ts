import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { takeToken, type Bucket } from './rate.ts'

const rules = { burst: 3, refillMs: 1_000 }

describe('a rate', () => {
  it('allows a burst at once, then one in each interval', () => {
    let bucket: Bucket | undefined
    const taken = [0, 0, 0, 0, 999, 1_000, 1_001, 2_000, 60_000, 60_000, 60_000, 60_000].map((nowMs) => {
      const step = takeToken(bucket, rules, nowMs)
      bucket = step.bucket
      return step.isTaken
    })
    expect(taken).toEqual([
      ...[true, true, true, false, false, true, false, true],
      ...[true, true, true, false],
    ])
  })

  it('never allows more than its burst and the elapsed intervals, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5_000, max: 5_000 }), { maxLength: 200 }), (steps) => {
        let bucket: Bucket | undefined
        let nowMs = 0
        let forwardMs = 0
        let count = 0
        for (const stepMs of steps) {
          nowMs += stepMs
          forwardMs += Math.max(0, stepMs)
          const step = takeToken(bucket, rules, nowMs)
          bucket = step.bucket
          if (step.isTaken) count += 1
        }
        expect(count).toBeLessThanOrEqual(rules.burst + forwardMs / rules.refillMs + 1e-6)
      }),
    )
  })
})
