import { SECOND_MS, unixMsOf, type Desired } from '@escale/protocol'
import { CLOCK_STEP_MS, withSample, type ClockSample, type ServerClock } from './clock.ts'
import { leaveSession, lockedIdle } from './deadlines.ts'
import { corrected, leaseOf, pauseOf, rebased } from './lease.ts'
import { restamped } from './outbox.ts'
import {
  rejected,
  restOf,
  sessionOf,
  step,
  withRest,
  type Effect,
  type RestPhase,
  type StationState,
  type Step,
} from './state.ts'

/**
 * Whether a document's `sentAt` contradicts our idea of the server's clock: it came very late, or the server's
 * wall clock was set. Either way the clock is asked again before `endsAt` is believed.
 */
function isClockDoubtful(clock: ServerClock, desired: Desired, nowMs: number): boolean {
  return Math.abs(nowMs + clock.offsetMs - unixMsOf(desired.sentAt)) > CLOCK_STEP_MS
}

function restAsked(state: StationState, desired: Desired, nowMs: number): RestPhase | 'session-over' {
  const { session } = desired
  if (desired.state === 'maintenance') return { kind: 'maintenance' }
  if (desired.state === 'locked' || session === undefined) {
    const rest = restOf(state.phase)
    return rest?.kind === 'locked' ? rest : lockedIdle
  }
  // Suspended before it ended here, it is not over: the suspension held from its instant, and may be lifted.
  if (desired.state === 'active' && state.endedSessionIds.includes(session.id)) return 'session-over'
  const held = sessionOf(state.phase)
  const { warningsSeconds, maxSuspendedMinutes } = state.config
  const { clock } = state
  const facts = { session, sentAt: desired.sentAt, clock, held, warningsSeconds, nowMs }
  if (desired.state === 'active') return { kind: 'active', lease: leaseOf(facts) }
  const rest = restOf(state.phase)
  const paused = rest?.kind === 'suspended' ? rest.pause : undefined
  return { kind: 'suspended', pause: pauseOf(facts, paused, maxSuspendedMinutes) }
}

/** An end asked for and not answered yet stays asked for while the session is the same. */
function withEndTag(rest: RestPhase, before: RestPhase | undefined): RestPhase {
  if (rest.kind !== 'active' && rest.kind !== 'suspended') return rest
  if (before?.kind !== 'active' && before?.kind !== 'suspended') return rest
  return before.endTag === undefined ? rest : { ...rest, endTag: before.endTag }
}

/** Applies the server's whole truth; a document not newer than the one applied changes nothing. */
export function applyDesired(state: StationState, desired: Desired, nowMs: number): Step {
  if (state.phase.kind === 'pairing') return rejected(state, 'desiredReceived', 'not-enrolled')
  if (desired.version <= state.version) {
    // The document in force, sent again: what is not saved over a restart is learnt from it.
    const known = desired.version === state.version ? withCall(state, desired.staffCall?.state) : state
    return rejected(known, 'desiredReceived', 'stale-desired')
  }
  const wantsSession = desired.state === 'active' || desired.state === 'suspended'
  if (wantsSession && desired.session === undefined) {
    return rejected(state, 'desiredReceived', 'desired-without-session')
  }
  const isDoubtful = state.clock !== undefined && isClockDoubtful(state.clock, desired, nowMs)
  const told = withCall(state, desired.staffCall?.state)
  const known: StationState = isDoubtful ? { ...told, clock: undefined } : told
  const effects: Effect[] = isDoubtful ? [{ kind: 'askTime' }] : []

  const asked = restAsked(known, desired, nowMs)
  if (asked === 'session-over') {
    return step({ ...known, label: desired.label, version: desired.version }, ...effects, {
      kind: 'rejected',
      code: 'session-over',
      input: 'desiredReceived',
    })
  }
  const held = sessionOf(state.phase)
  const isLeaving = held !== undefined && held.sessionId !== desired.session?.id
  const next = isLeaving ? asked : withEndTag(asked, restOf(state.phase))
  const isWarningMoot = isLeaving || next.kind !== 'active' || isGrant(state, desired)
  return step(
    {
      ...known,
      warning: isWarningMoot ? undefined : known.warning,
      label: desired.label,
      version: desired.version,
      endedSessionIds:
        next.kind === 'suspended'
          ? known.endedSessionIds.filter((id) => id !== desired.session?.id)
          : known.endedSessionIds,
      phase: isLeaving ? leaveSession(state.phase, next, nowMs) : withRest(state.phase, next),
    },
    ...effects,
  )
}

/** Once the server says that a call is over, the screen no longer says that it was made. */
function withCall(state: StationState, openCall: StationState['openCall']): StationState {
  const isOver = openCall === undefined && state.openCall !== undefined && state.staffCall?.kind === 'called'
  return { ...state, openCall, staffCall: isOver ? undefined : state.staffCall }
}

function isGrant(state: StationState, desired: Desired): boolean {
  const held = sessionOf(state.phase)
  return (
    held !== undefined &&
    desired.session !== undefined &&
    desired.session.grantedSeconds > held.grantedSeconds
  )
}

/** Takes in one exchange of `time`, and corrects the lease by it. */
export function applyClockSample(state: StationState, sample: ClockSample, nowMs: number): Step {
  const change = withSample(state.clock, sample)
  if (change.kind === 'dropped') return rejected(state, 'clockSampled', 'round-trip-too-long')
  const { clock } = change
  const known: StationState = {
    ...state,
    clock,
    events: restamped(state, clock.offsetMs - state.stampOffsetMs),
    stampOffsetMs: clock.offsetMs,
  }
  const rest = restOf(state.phase)
  if (rest?.kind !== 'active') return step(known)
  const lease = change.kind === 'stepped' ? rebased(rest.lease, clock) : corrected(rest.lease, clock, nowMs)
  const next = { ...known, phase: withRest(state.phase, { ...rest, lease }) }
  // What was written down before would give that time back after a restart.
  return lease.endMs < rest.lease.endMs ? step(next, { kind: 'save' }) : step(next)
}

export const OPENING_LIMIT_MS = 10 * SECOND_MS
