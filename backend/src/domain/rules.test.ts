import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { isAccessCodeShape } from '@escale/protocol'
import { drawAccessCode } from './access-code.ts'
import { isStalePresence } from './presence.ts'
import { canCreateSession, startOfDayMs } from './quota.ts'
import { desiredStateOf } from './station.ts'
import { countFailure, idleThrottle, stationCodeRules, waitSecondsAt } from './throttle.ts'
import { crossedByCut, nextWarning } from './warnings.ts'

describe('throttle', () => {
  it('allows five failures, then blocks for 30 s, then twice as long each time, up to 15 min', () => {
    let state = idleThrottle
    let nowMs = 1_000_000
    const waits: number[] = []
    for (let failure = 1; failure <= 11; failure++) {
      state = countFailure(state, nowMs, stationCodeRules)
      const wait = waitSecondsAt(state, nowMs)
      waits.push(wait)
      nowMs += wait * 1_000
    }
    expect(waits).toEqual([0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900])
  })

  it('starts again after a time without failures', () => {
    let state = idleThrottle
    for (let failure = 1; failure <= 4; failure++) state = countFailure(state, 0, stationCodeRules)
    state = countFailure(state, stationCodeRules.windowMs, stationCodeRules)
    expect(waitSecondsAt(state, stationCodeRules.windowMs)).toBe(0)
    expect(state.failures).toBe(1)
  })
})

describe('warnings', () => {
  const thresholds = [300, 120, 60, 30, 10]
  const endsAtMs = 1_000_000

  it('are due at each threshold, the next one first', () => {
    expect(nextWarning(endsAtMs, endsAtMs - 301_000, thresholds)).toEqual({
      atMs: endsAtMs - 300_000,
      remainingSeconds: 300,
    })
    expect(nextWarning(endsAtMs, endsAtMs - 300_000, thresholds)?.remainingSeconds).toBe(120)
    expect(nextWarning(endsAtMs, endsAtMs - 10_000, thresholds)).toBeUndefined()
  })

  it('are due again after a grant', () => {
    const nowMs = endsAtMs - 50_000
    expect(nextWarning(endsAtMs, nowMs, thresholds)?.remainingSeconds).toBe(30)
    expect(nextWarning(endsAtMs + 600_000, nowMs, thresholds)?.remainingSeconds).toBe(300)
  })
})

describe('a reduction of time', () => {
  const thresholds = [300, 120, 60, 30, 10]
  const nowMs = 1_000_000
  it.each([
    [360, 180, 300],
    [360, 100, 120],
    [3_600, 1, 10],
    [360, 300, 300],
    [300, 180, undefined],
    [290, 130, undefined],
    [360, 301, undefined],
  ])('from %i s to %i s crosses %s', (before, after, crossed) => {
    const endsAtMs = nowMs + after * 1_000
    expect(crossedByCut(endsAtMs, nowMs, after - before, thresholds)).toBe(crossed)
  })
})

describe('the day of the quota', () => {
  const at = (iso: string) => Date.parse(iso)
  test.each([
    ['2026-06-15T10:00:00Z', 'Europe/Paris', '2026-06-14T22:00:00Z'],
    ['2026-06-14T22:00:00Z', 'Europe/Paris', '2026-06-14T22:00:00Z'],
    ['2026-06-14T21:59:59.999Z', 'Europe/Paris', '2026-06-13T22:00:00Z'],
    // The day on which clocks go forward has 23 hours, the one on which they go back 25.
    ['2026-03-29T21:59:59Z', 'Europe/Paris', '2026-03-28T23:00:00Z'],
    ['2026-10-25T22:30:00Z', 'Europe/Paris', '2026-10-24T22:00:00Z'],
    ['2026-06-15T10:00:00Z', 'Pacific/Auckland', '2026-06-15T12:00:00Z'],
    ['2026-06-15T10:00:00Z', 'Indian/Reunion', '2026-06-14T20:00:00Z'],
  ])('of %s in %s begins at %s', (now, timeZone, start) => {
    const expected = at(start) > at(now) ? at(start) - 24 * 3_600_000 : at(start)
    expect(new Date(startOfDayMs(at(now), timeZone)).toISOString()).toBe(new Date(expected).toISOString())
  })

  it('returns every reason against a session', () => {
    const facts = { consentGiven: false, isConsentRequired: true, sessionsToday: 3, quota: 3 }
    expect(canCreateSession(facts).reasons).toEqual(['consent-missing', 'quota-reached'])
    expect(canCreateSession({ ...facts, isConsentRequired: false, sessionsToday: 2 }).allowed).toBe(true)
  })
})

describe('access codes', () => {
  it('are well-formed for any random bytes', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 255 })), (bytes) => {
        const iterator = bytes[Symbol.iterator]()
        const code = drawAccessCode(() => iterator.next().value as number)
        expect(isAccessCodeShape(code)).toBe(true)
      }),
    )
  })

  it('reject the bytes that would make some letters more likely', () => {
    const bytes = [255, 254, 253, 252, 251, 250, 249, 248, 0, 1, 2, 3, 4, 5, 6, 7]
    expect(drawAccessCode(() => bytes.shift() ?? 0)).toBe('ABCDEFGH')
  })
})

describe('a station', () => {
  it('gets the state locked unless a session runs there', () => {
    expect(desiredStateOf(false, undefined)).toBe('locked')
    expect(desiredStateOf(true, undefined)).toBe('maintenance')
    expect(desiredStateOf(false, 'suspended')).toBe('suspended')
    expect(desiredStateOf(false, 'pending')).toBe('locked')
  })
})

describe('a presence', () => {
  const known = { bootId: 'b2', connectionSeq: 5 }
  test.each([
    ['the will of an older boot', { online: false, bootId: 'b1' }, true],
    ['the will of an older connection', { online: false, bootId: 'b2', connectionSeq: 4 }, true],
    ['the will of this connection', { online: false, bootId: 'b2', connectionSeq: 5 }, false],
    ['the birth of a new boot', { online: true, bootId: 'b3', connectionSeq: 1 }, false],
    ['a client that does not count its connections', { online: false, bootId: 'b2' }, false],
  ])('%s', (_name, presence, isStale) => expect(isStalePresence(known, presence)).toBe(isStale))
})
