import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createServerClock } from '../../live/server-clock.ts'
import { shareLeft, shownRemaining } from './countdown.ts'

const START_MS = Date.parse('2026-03-02T09:00:00.000Z')
const active = (endsInMs: number) => ({
  state: 'active' as const,
  remainingSeconds: Math.ceil(endsInMs / 1_000),
  endsAt: new Date(START_MS + endsInMs).toISOString(),
})

describe('a running countdown', () => {
  it.each([
    [60_000, 60],
    [59_001, 60],
    [59_000, 59],
    [1, 1],
    [0, 0],
    [-5_000, 0],
  ])('shows %i ms left as %i s', (leftMs, shown) => {
    expect(shownRemaining(active(60_000), START_MS + 60_000 - leftMs)).toBe(shown)
  })

  it('does not change while suspended', () => {
    const session = { state: 'suspended' as const, remainingSeconds: 754 }
    expect(shownRemaining(session, START_MS + 86_400_000)).toBe(754)
  })

  it('never increases, and is right within a second when messages take up to a second', () => {
    const delays = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(delays, fc.integer({ min: -1e12, max: 1e12 }), (delaysMs, ourOffsetMs) => {
        const clock = createServerClock(ourOffsetMs)
        const session = active(600_000)
        let before = Number.POSITIVE_INFINITY
        delaysMs.forEach((delayMs, second) => {
          const sentAtMs = START_MS + second * 1_000
          clock.learn(sentAtMs, sentAtMs + delayMs - ourOffsetMs)
          const trueNowMs = sentAtMs + 1_000
          const shown = shownRemaining(session, clock.nowMs(trueNowMs - ourOffsetMs))
          expect(Math.abs(shown - shownRemaining(session, trueNowMs))).toBeLessThanOrEqual(1)
          expect(shown).toBeLessThanOrEqual(before)
          before = shown
        })
      }),
      { numRuns: 200 },
    )
  })
})

describe('the server clock', () => {
  it('follows a clock that was set back, when the old samples have expired', () => {
    const clock = createServerClock(0)
    for (let second = 0; second < 100; second += 1) clock.learn(second * 1_000 + 5_000, second * 1_000)
    for (let second = 100; second < 160; second += 1) clock.learn(second * 1_000, second * 1_000)
    expect(clock.nowMs(160_000)).toBe(160_000)
  })

  it('uses only the first message after a reset', () => {
    const clock = createServerClock(0)
    clock.learn(9_000, 0)
    clock.reset()
    clock.learn(2_000, 1_000)
    expect(clock.nowMs(1_000)).toBe(2_000)
  })
})

describe('the share left', () => {
  it('stays between 0 and 1, also for a grant of 0', () => {
    expect([shareLeft(60, 15), shareLeft(60, 90), shareLeft(0, 0), shareLeft(60, -1)]).toEqual([
      0.25, 1, 0, 0,
    ])
  })
})
