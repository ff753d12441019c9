import { SECOND_MS, isBeyondBelief, type Desired } from '@escale/protocol'
import { withSample, type ClockSample } from './clock.ts'
import { applyDocument, isClockDoubtful, withCall } from './document.ts'
import { corrected, notShownAbove, rebased } from './lease.ts'
import { restamped } from './outbox.ts'
import { rejected, restOf, step, withRest, type StationState, type Step } from './state.ts'

/** Takes the server's document: a newer one is applied, an older one changes nothing. */
export function applyDesired(state: StationState, desired: Desired, nowMs: number): Step {
  if (state.phase.kind === 'pairing') return rejected(state, 'desiredReceived', 'not-enrolled')
  const wantsSession = desired.state === 'active' || desired.state === 'suspended'
  if (wantsSession && desired.session === undefined) {
    return rejected(state, 'desiredReceived', 'desired-without-session')
  }
  if (desired.version > state.version) return applyDocument(believed(state), desired, nowMs)
  if (desired.version === state.version) return applyAgain(state, desired, nowMs)
  // Only a document of ours that is beyond belief can be followed by one so far below it.
  if (!isBeyondBelief(state.version, desired.version, -Infinity)) {
    return rejected(state, 'desiredReceived', 'stale-desired')
  }
  const doubted = { desired, arrivedMs: nowMs }
  if (state.clock === undefined) return rejected({ ...state, doubted }, 'desiredReceived', 'stale-desired')
  return judge(state, doubted, nowMs)
}

/**
 * Between a version of ours that no server can have given and a document far below it, the time decides. The document
 * must have been sent just before it arrived: one that comes late is old, whatever became of our version.
 */
function judge(state: StationState, doubted: NonNullable<StationState['doubted']>, nowMs: number): Step {
  const { desired, arrivedMs } = doubted
  const undoubted = believed(state)
  const stale = rejected({ ...state, doubted: undefined }, 'desiredReceived', 'stale-desired')
  const { clock } = state
  if (clock === undefined || !isBeyondBelief(state.version, desired.version, nowMs + clock.offsetMs))
    return stale
  return isClockDoubtful(clock, desired, arrivedMs) ? stale : applyDocument(undoubted, desired, nowMs)
}

/** The state as a document finds it that is taken: nothing waits to be confirmed or judged any more. */
function believed(state: StationState): StationState {
  const { doubted: _doubted, isUnconfirmed: _isUnconfirmed, ...rest } = state
  return rest
}

/**
 * The document in force, sent again: it changes nothing, but that it is held against what the agent's own file said
 * when it started. Anybody at the station may have written there.
 */
function applyAgain(state: StationState, desired: Desired, nowMs: number): Step {
  const { isUnconfirmed, ...confirmed } = state
  // What is not saved over a restart is learnt from it.
  const known = withCall(confirmed, desired.staffCall?.state)
  const hasEndedHere = desired.session !== undefined && state.endedSessionIds.includes(desired.session.id)
  if (isUnconfirmed !== true || hasEndedHere) return rejected(known, 'desiredReceived', 'stale-desired')
  const applied = applyDocument(known, desired, nowMs)
  const [before, after] = [restOf(state.phase), restOf(applied.state.phase)]
  const isSame =
    before?.kind === 'active' && after?.kind === 'active' && before.lease.sessionId === after.lease.sessionId
  const next = isSame
    ? withRest(applied.state.phase, { ...after, lease: notShownAbove(before.lease, after.lease, nowMs) })
    : applied.state.phase
  return step({ ...applied.state, phase: next }, ...applied.effects, { kind: 'save' })
}

/** Takes in one exchange of `time`, and corrects the lease by it. */
export function applyClockSample(state: StationState, sample: ClockSample, nowMs: number): Step {
  const change = withSample(state.clock, sample)
  if (change.kind === 'dropped') return rejected(state, 'clockSampled', 'round-trip-too-long')
  const { clock } = change
  const { doubted, ...undoubted } = state
  const known: StationState = {
    ...undoubted,
    clock,
    events: restamped(state, clock.offsetMs - state.stampOffsetMs),
    stampOffsetMs: clock.offsetMs,
  }
  if (doubted !== undefined) {
    const judged = judge({ ...known, doubted }, doubted, nowMs)
    if (judged.state.version !== state.version) return judged
  }
  const rest = restOf(state.phase)
  if (rest?.kind !== 'active') return step(known)
  const lease = change.kind === 'stepped' ? rebased(rest.lease, clock) : corrected(rest.lease, clock, nowMs)
  const next = { ...known, phase: withRest(state.phase, { ...rest, lease }) }
  // What was written down before would give that time back after a restart.
  return lease.endMs < rest.lease.endMs ? step(next, { kind: 'save' }) : step(next)
}

export const OPENING_LIMIT_MS = 10 * SECOND_MS
