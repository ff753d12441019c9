import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { sampleOf, withSample, type ClockSample, type ServerClock } from './clock.ts'

const sample = (over: Partial<ClockSample>): ClockSample => ({
  offsetMs: 1_000,
  roundTripMs: 10,
  takenMs: 0,
  ...over,
})
const clockOf = (...samples: ClockSample[]) => {
  let clock: ServerClock | undefined
  for (const one of samples) {
    const change = withSample(clock, one)
    if (change.kind !== 'dropped') clock = change.clock
  }
  return clock
}

describe('the estimate of the server’s clock', () => {
  it('is exact when both directions take equally long, whatever the server’s own delay', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(5_000), fc.integer(), (wayMs, delayMs, offsetMs) => {
        const sentMs = 7_000
        const serverReceivedMs = sentMs + wayMs + offsetMs
        const serverSentMs = serverReceivedMs + delayMs
        const arrivedMs = sentMs + 2 * wayMs + delayMs
        expect(sampleOf({ sentMs, arrivedMs, serverReceivedMs, serverSentMs })).toEqual({
          offsetMs,
          roundTripMs: 2 * wayMs,
          takenMs: arrivedMs,
        })
      }),
    )
  })

  it('is never wrong by more than half of the round trip', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), fc.integer(), (thereMs, backMs, offsetMs) => {
        const got = sampleOf({
          sentMs: 0,
          arrivedMs: thereMs + backMs,
          serverReceivedMs: thereMs + offsetMs,
          serverSentMs: thereMs + offsetMs,
        })
        expect(Math.abs(got.offsetMs - offsetMs)).toBeLessThanOrEqual((thereMs + backMs) / 2)
      }),
    )
  })

  it('uses the sample with the shortest round trip', () => {
    const clock = clockOf(
      sample({ offsetMs: 1_100, roundTripMs: 300 }),
      sample({ offsetMs: 1_000, roundTripMs: 4 }),
      sample({ offsetMs: 1_080, roundTripMs: 200 }),
    )
    expect(clock?.offsetMs).toBe(1_000)
  })

  it('drops a round trip of more than a second', () => {
    expect(withSample(undefined, sample({ roundTripMs: 1_001 })).kind).toBe('dropped')
    expect(withSample(undefined, sample({ roundTripMs: 1_000 })).kind).toBe('updated')
  })

  it('prefers a new sample to one of an hour ago, because quartz clocks drift', () => {
    const hourMs = 3_600_000
    const clock = clockOf(
      sample({ offsetMs: 1_000, roundTripMs: 2 }),
      sample({ offsetMs: 1_200, roundTripMs: 40, takenMs: hourMs }),
    )
    expect(clock?.offsetMs).toBe(1_200)
  })

  it('notices that the server’s wall clock was set', () => {
    const before = clockOf(sample({}))
    const change = withSample(before, sample({ offsetMs: 3_600_000 }))
    expect(change).toMatchObject({ kind: 'stepped', clock: { offsetMs: 3_600_000 } })
  })
})
