import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { nextDeadline } from './deadlines.ts'
import { shownMsOf } from './lease.ts'
import { snapshotOf } from './snapshot.ts'
import { initialState, outcomeOf, restOf, sessionOf, type Input, type StationState } from './state.ts'
import { transition } from './transition.ts'
import { viewOf, reportedOf } from './view.ts'
import {
  activeDocument,
  createEnrolledRig,
  lockedDocument,
  SERVER_OFFSET_MS,
  suspendedDocument,
} from './testing.ts'

interface Move {
  passMs: number
  make: (nowMs: number, state: StationState) => Input
}

const of = (make: Move['make']) => fc.nat(30_000).map((passMs): Move => ({ passMs, make }))
const seconds = fc.integer({ min: 0, max: 900 })
/** A version that is mostly newer than the applied one, sometimes the same or older. */
const ahead = fc.integer({ min: -1, max: 3 })
const versionFrom = (state: StationState, by: number) => Math.max(0, state.version + by)
const sessionId = fc.constantFrom('s-1', 's-2')
const tag = fc.integer({ min: 0, max: 6 })

const moves: fc.Arbitrary<Move> = fc.oneof(
  of(() => ({ kind: 'tick' })),
  of(() => ({ kind: 'pairingStarted', code: '1234' })),
  of(() => ({ kind: 'enrolled', stationId: 'pc-01' })),
  of(() => ({ kind: 'linkUp' })),
  of(() => ({ kind: 'linkDown' })),
  of(() => ({ kind: 'codeTyped', code: 'ABCD-2345' })),
  of(() => ({ kind: 'endAsked' })),
  of(() => ({ kind: 'termsAccepted' })),
  of((_, state) => ({ kind: 'configReceived', config: { ...state.config, terms: 'Be kind.' } })),
  of(() => ({ kind: 'staffCalled' })),
  of((_, state) => ({ kind: outcomeOf[state.seat.underWay?.act ?? 'open'], id: state.seat.nextId - 1 })),
  of((_, state) => ({ kind: 'actFailed', id: state.seat.nextId - 1, error: 'disk full' })),
  of(() => ({ kind: 'identifyAsked' })),
  of(() => ({ kind: 'goingDown', op: 'reboot', delaySeconds: 20 })),
  of(() => ({ kind: 'powerDownCancelled' })),
  of(() => ({ kind: 'faultFound', fault: 'kiosk-failed', error: 'no display' })),
  of(() => ({ kind: 'noticeReceived', notice: { id: 'n', text: 't', level: 'info' } })),
  of(() => ({ kind: 'noticeDismissed', id: 'n' })),
  of((_, state) => ({ kind: 'eventAcknowledged', bootId: 'boot-1', seq: state.events[0]?.seq ?? 0 })),
  of((_, state) => ({
    kind: 'configReceived',
    config: { ...state.config, warningsSeconds: [200, 20], maxSuspendedMinutes: 1 },
  })),
  tag.chain((t) => of(() => ({ kind: 'unanswered', tag: t }))),
  tag.chain((t) =>
    of(() => ({ kind: 'answered', tag: t, answer: { ok: true, data: { sessionId: 's-1' } } })),
  ),
  tag.chain((t) =>
    of(() => ({
      kind: 'answered',
      tag: t,
      answer: { ok: false, code: 'code-throttled', message: '', retryAfterSeconds: 30 },
    })),
  ),
  fc.tuple(fc.integer({ min: -900, max: 900 }), fc.nat(1_200)).chain(([errorMs, roundTripMs]) =>
    of((nowMs) => ({
      kind: 'clockSampled',
      sample: { offsetMs: SERVER_OFFSET_MS + errorMs, roundTripMs, takenMs: nowMs },
    })),
  ),
  of((nowMs) => ({
    kind: 'clockSampled',
    sample: { offsetMs: SERVER_OFFSET_MS + 86_400_000, roundTripMs: 3, takenMs: nowMs },
  })),
  fc.tuple(ahead, seconds, sessionId, fc.nat(900)).chain(([v, s, id, more]) =>
    of((nowMs, state) => ({
      kind: 'desiredReceived',
      desired: activeDocument({
        version: versionFrom(state, v),
        seconds: s,
        nowMs,
        sessionId: id,
        granted: s + more,
      }),
    })),
  ),
  fc.tuple(ahead, seconds, sessionId).chain(([v, s, id]) =>
    of((nowMs, state) => ({
      kind: 'desiredReceived',
      desired: suspendedDocument({ version: versionFrom(state, v), seconds: s, nowMs, sessionId: id }),
    })),
  ),
  ahead.chain((v) =>
    of((nowMs, state) => ({
      kind: 'desiredReceived',
      desired: lockedDocument(versionFrom(state, v), nowMs),
    })),
  ),
  ahead.chain((v) =>
    of((nowMs, state) => ({
      kind: 'desiredReceived',
      desired: { ...lockedDocument(versionFrom(state, v), nowMs), state: 'maintenance' },
    })),
  ),
)

const leaseOf = (state: StationState) => {
  const rest = restOf(state.phase)
  return rest?.kind === 'active' ? rest.lease : undefined
}

/** Performs the moves and calls `look` before and after each of them. */
function play(
  list: readonly Move[],
  look: (before: StationState, after: StationState, input: Input, times: { nowMs: number }) => void,
) {
  let state = initialState({ bootId: 'boot-1', wallOffsetMs: 0 })
  let nowMs = 0
  // Most stations are enrolled. Otherwise half of the runs would never leave the pairing.
  state = transition(state, { kind: 'enrolled', stationId: 'pc-01' }, nowMs).state
  for (const { passMs, make } of list) {
    nowMs += passMs
    const input = make(nowMs, state)
    const step = transition(state, input, nowMs)
    look(state, step.state, input, { nowMs })
    state = step.state
  }
}

const check = (look: Parameters<typeof play>[1]) => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 60, size: 'max' }), (list) => play(list, look)),
    { numRuns: 400 },
  )
}

describe('whatever happens', () => {
  it('only a newer document raises the shown time', () => {
    check((before, after, _input, { nowMs }) => {
      const [was, is] = [leaseOf(before), leaseOf(after)]
      if (was === undefined || is?.sessionId !== was.sessionId || after.version > before.version) return
      expect(shownMsOf(is, nowMs)).toBeLessThanOrEqual(shownMsOf(was, nowMs))
    })
  })

  it('a document that is not newer changes nothing but what time changes', () => {
    check((before, after, input, { nowMs }) => {
      if (input.kind !== 'desiredReceived' || input.desired.version > before.version) return
      expect(after).toEqual(transition(before, { kind: 'tick' }, nowMs).state)
    })
  })

  it('no session continues after its end, and no suspension after its limit', () => {
    check((_before, after, _input, { nowMs }) => {
      const rest = restOf(after.phase)
      if (rest?.kind === 'active') expect(rest.lease.endMs).toBeGreaterThan(nowMs)
      if (rest?.kind === 'suspended') expect(rest.pause.deadlineMs).toBeGreaterThan(nowMs)
    })
  })

  it('the applied version never goes back, and each end is reported once for each document', () => {
    const ends = new Set<string>()
    check((before, after) => {
      if (before.events.length === 0 && before.version === 0) ends.clear()
      expect(after.version).toBeGreaterThanOrEqual(before.version)
      const reported = after.events
        .filter(({ kind }) => kind === 'session_ended')
        .map(({ details }) => `${String(details.sessionId)} in ${String(details.version)}`)
      expect(new Set(reported).size).toBe(reported.length)
    })
  })

  it('a session that ended here never opens here again', () => {
    check((_before, after) => {
      const held = sessionOf(after.phase)
      if (held !== undefined) expect(after.endedSessionIds).not.toContain(held.sessionId)
    })
  })

  it('the next deadline lies in the future, so one timer is enough', () => {
    check((_before, after, _input, { nowMs }) => {
      const deadlineMs = nextDeadline(after)
      if (deadlineMs !== undefined) expect(deadlineMs).toBeGreaterThan(nowMs)
    })
  })

  it('the view and the report exist, and the snapshot survives JSON', () => {
    check((_before, after, _input, { nowMs }) => {
      expect(() => [viewOf(after, nowMs), reportedOf(after, nowMs)]).not.toThrow()
      const snapshot = snapshotOf(after, nowMs)
      expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot)
    })
  })
})

describe('a lease', () => {
  it('ends at its exact millisecond, whatever ticks came before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900 }), fc.array(fc.nat(20_000)), (s, ticks) => {
        let state = createEnrolledRig().state()
        const apply = (input: Input, nowMs: number) => {
          state = transition(state, input, nowMs).state
        }
        const sample = { offsetMs: SERVER_OFFSET_MS, roundTripMs: 1, takenMs: 0 }
        apply({ kind: 'clockSampled', sample }, 0)
        apply({ kind: 'desiredReceived', desired: activeDocument({ version: 1, seconds: s, nowMs: 0 }) }, 0)
        let nowMs = 0
        for (const passMs of ticks) {
          nowMs = Math.min(s * 1_000 - 1, nowMs + passMs)
          apply({ kind: 'tick' }, nowMs)
          expect(state.phase.kind).toBe('active')
        }
        apply({ kind: 'tick' }, s * 1_000)
        expect(state.phase.kind).toBe('cleaning')
      }),
    )
  })
})
