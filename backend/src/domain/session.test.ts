import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { sessionStates, type SessionState } from '@escale/protocol'
import {
  elapsedMsAt,
  endsAtMsOf,
  sessionTimeAt,
  transition,
  type SessionClock,
  type SessionInput,
} from './session.ts'

const START = 1_800_000_000_000
const MINUTE = 60_000
const rules = { maxSuspendedMs: 30 * MINUTE }

const pending: SessionClock = {
  state: 'pending',
  grantedSeconds: 900,
  creditSeconds: 0,
  consumedMs: 0,
  codeExpiresAtMs: START + 24 * 60 * MINUTE,
}
const active: SessionClock = { ...pending, state: 'active', startedAtMs: START, runningSinceMs: START }
const suspended: SessionClock = {
  ...pending,
  state: 'suspended',
  startedAtMs: START,
  consumedMs: 5 * MINUTE,
  suspendedAtMs: START + 5 * MINUTE,
}
const ended: SessionClock = {
  ...pending,
  state: 'ended',
  startedAtMs: START,
  consumedMs: 15 * MINUTE,
  endedAtMs: START + 15 * MINUTE,
  endReason: 'expired',
}
const samples: Record<SessionState, SessionClock> = { pending, active, suspended, ended }

const input: fc.Arbitrary<SessionInput> = fc.oneof(
  fc.constantFrom<SessionInput>(
    { type: 'start' },
    { type: 'suspend' },
    { type: 'resume' },
    { type: 'timePassed' },
    { type: 'terminate', reason: 'terminated' },
  ),
  fc
    .integer({ min: -1440, max: 1440 })
    .map((minutes): SessionInput => ({ type: 'addTime', seconds: minutes * 60 })),
  fc
    .record({
      atMs: fc.integer({ min: START - MINUTE, max: START + 300 * MINUTE }),
      reason: fc.constantFrom('expired' as const, 'logged_out' as const, 'suspended_too_long' as const),
      unseenSeconds: fc.integer({ min: 0, max: 3_600 }),
    })
    .map((end): SessionInput => ({ type: 'stationEnded', ...end })),
)
const steps = fc.array(fc.tuple(input, fc.integer({ min: 0, max: 20 * MINUTE })), { maxLength: 30 })

const remainingMs = (session: SessionClock, nowMs: number) =>
  session.grantedSeconds * 1_000 - elapsedMsAt(session, nowMs)

describe('a session with any inputs', () => {
  test('never has more time left than before, except after a grant', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        let session = pending
        let nowMs = START
        for (const [next, waitMs] of sequence) {
          const beforeMs = remainingMs(session, nowMs)
          nowMs += waitMs
          const step = transition(session, next, nowMs, rules)
          const grantedMs = step.effects.reduce(
            (sum, effect) =>
              effect.type === 'timeAdded' ? sum + Math.max(0, effect.addedSeconds) * 1_000 : sum,
            0,
          )
          // Time left when a station ends a session early is never used afterwards.
          if (next.type !== 'stationEnded')
            expect(remainingMs(step.session, nowMs)).toBeLessThanOrEqual(beforeMs + grantedMs)
          session = step.session
        }
      }),
    )
  })

  test('shows elapsed and remaining seconds that add up to what was granted', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        let session = pending
        let nowMs = START
        for (const [next, waitMs] of sequence) {
          nowMs += waitMs
          session = transition(session, next, nowMs, rules).session
          const { elapsedSeconds, remainingSeconds, percentUsed } = sessionTimeAt(session, nowMs)
          expect(elapsedSeconds + remainingSeconds).toBe(session.grantedSeconds)
          expect(elapsedSeconds).toBeGreaterThanOrEqual(0)
          expect(remainingSeconds).toBeGreaterThanOrEqual(0)
          expect(percentUsed).toBeGreaterThanOrEqual(0)
          expect(percentUsed).toBeLessThanOrEqual(100)
        }
      }),
    )
  })

  test('stays ended, and only reports that it has ended', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        let nowMs = START + 15 * MINUTE
        for (const [next, waitMs] of sequence) {
          nowMs += waitMs
          const { session, effects } = transition(ended, next, nowMs, rules)
          expect(session).toEqual(ended)
          expect(effects.every(({ type }) => type === 'rejected' || type === 'overrunNoted')).toBe(true)
        }
      }),
    )
  })

  test('counts exactly while it runs, and has an exact end', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        let session = pending
        let nowMs = START
        for (const [next, waitMs] of sequence) {
          nowMs += waitMs
          session = transition(session, next, nowMs, rules).session
          expect(session.runningSinceMs !== undefined).toBe(session.state === 'active')
          expect(session.suspendedAtMs !== undefined).toBe(session.state === 'suspended')
          expect(session.endedAtMs !== undefined).toBe(session.state === 'ended')
          expect(endsAtMsOf(session) !== undefined).toBe(session.state === 'active')
        }
      }),
    )
  })
})

describe('each input in each state', () => {
  const answers: [SessionInput, Record<SessionState, string[]>][] = [
    [
      { type: 'start' },
      { pending: ['started'], active: ['rejected'], suspended: ['rejected'], ended: ['rejected'] },
    ],
    [
      { type: 'addTime', seconds: 600 },
      { pending: ['timeAdded'], active: ['timeAdded'], suspended: ['timeAdded'], ended: ['rejected'] },
    ],
    [
      { type: 'suspend' },
      { pending: ['rejected'], active: ['suspended'], suspended: ['rejected'], ended: ['rejected'] },
    ],
    [
      { type: 'resume' },
      { pending: ['rejected'], active: ['rejected'], suspended: ['resumed'], ended: ['rejected'] },
    ],
    [
      { type: 'terminate', reason: 'terminated' },
      { pending: ['ended'], active: ['ended'], suspended: ['ended'], ended: ['rejected'] },
    ],
    [{ type: 'timePassed' }, { pending: [], active: [], suspended: [], ended: [] }],
  ]
  for (const [given, expected] of answers) {
    for (const state of sessionStates) {
      it(`${state} answers ${given.type} with ${expected[state].join(', ') || 'nothing'}`, () => {
        const { effects } = transition(samples[state], given, START + 6 * MINUTE, rules)
        expect(effects.map(({ type }) => type)).toEqual(expected[state])
      })
    }
  }
})

describe('time alone', () => {
  it('ends an active session at its own instant, however late the check is', () => {
    const { session, effects } = transition(active, { type: 'timePassed' }, START + 60 * MINUTE, rules)
    expect(effects).toEqual([{ type: 'ended', reason: 'expired', atMs: START + 15 * MINUTE }])
    expect(session).toMatchObject({ state: 'ended', endedAtMs: START + 15 * MINUTE, consumedMs: 15 * MINUTE })
  })

  it('is applied before the action of an operator who is too late', () => {
    const { session, effects } = transition(
      active,
      { type: 'addTime', seconds: 600 },
      START + 15 * MINUTE,
      rules,
    )
    expect(effects.map(({ type }) => type)).toEqual(['ended', 'rejected'])
    expect(session.grantedSeconds).toBe(900)
  })

  it('ends a session that was suspended for too long, and charges only the active time', () => {
    const { session } = transition(suspended, { type: 'resume' }, START + 40 * MINUTE, rules)
    expect(session).toMatchObject({ state: 'ended', endReason: 'suspended_too_long', consumedMs: 5 * MINUTE })
    expect(session.endedAtMs).toBe(START + 35 * MINUTE)
  })

  it('makes an unused code expire', () => {
    const { session } = transition(pending, { type: 'start' }, pending.codeExpiresAtMs, rules)
    expect(session).toMatchObject({ state: 'ended', endReason: 'code_expired', consumedMs: 0 })
  })
})

describe('taking time away', () => {
  it('takes at most the remaining time', () => {
    const { session, effects } = transition(
      active,
      { type: 'addTime', seconds: -3_600 },
      START + 61_500,
      rules,
    )
    expect(effects).toEqual([{ type: 'timeAdded', addedSeconds: 62 - 900 }])
    expect(sessionTimeAt(session, START + 61_500).remainingSeconds).toBe(1)
  })

  it('does not give back used time', () => {
    const { effects } = transition(
      { ...active, grantedSeconds: 60 },
      { type: 'addTime', seconds: -60 },
      START + 59_500,
      rules,
    )
    expect(effects).toEqual([{ type: 'timeAdded', addedSeconds: 0 }])
  })
})

describe("a station's own end", () => {
  const end = (atMs: number, unseenSeconds = 0): SessionInput => ({
    type: 'stationEnded',
    atMs,
    reason: 'expired',
    unseenSeconds,
  })

  it('ends the session at its instant, and a grant that it never received becomes a credit', () => {
    const granted = { ...active, grantedSeconds: 1_500 }
    const { session } = transition(granted, end(START + 15 * MINUTE, 600), START + 20 * MINUTE, rules)
    expect(session).toMatchObject({ state: 'ended', endedAtMs: START + 15 * MINUTE, consumedMs: 15 * MINUTE })
    expect(session.creditSeconds).toBe(600)
  })

  it('does not move an earlier terminate; time that ran after that is recorded', () => {
    const terminated = {
      ...ended,
      endedAtMs: START + 5 * MINUTE,
      consumedMs: 5 * MINUTE,
      endReason: 'terminated' as const,
    }
    const { session, effects } = transition(terminated, end(START + 15 * MINUTE), START + 20 * MINUTE, rules)
    expect(session).toEqual(terminated)
    expect(effects).toEqual([{ type: 'overrunNoted', beyondMs: 10 * MINUTE }])
  })

  it('does not undo an earlier suspension', () => {
    const { session, effects } = transition(suspended, end(START + 15 * MINUTE), START + 20 * MINUTE, rules)
    expect(session).toEqual(suspended)
    expect(effects).toEqual([{ type: 'overrunNoted', beyondMs: 10 * MINUTE }])
  })

  it('cannot be outside the session', () => {
    const before = transition(active, end(START - MINUTE), START + 5 * MINUTE, rules).session
    expect(before).toMatchObject({ endedAtMs: START, consumedMs: 0 })
    const after = transition(active, end(START + 60 * MINUTE), START + 5 * MINUTE, rules).session
    expect(after.endedAtMs).toBe(START + 5 * MINUTE)
  })
})

test('a grant that the station never received becomes a full credit, although the clocks differ by a few milliseconds', () => {
  const unseenSeconds = 120
  for (const errorMs of [-3, 0, 3]) {
    const granted = {
      ...active,
      grantedSeconds: 180,
      consumedMs: 0,
      runningSinceMs: START,
      startedAtMs: START,
    }
    const atMs = START + MINUTE + errorMs
    const end = { type: 'stationEnded', atMs, reason: 'expired', unseenSeconds } as const
    expect(transition(granted, end, atMs + 100, rules).session.creditSeconds).toBe(unseenSeconds)
  }
})
