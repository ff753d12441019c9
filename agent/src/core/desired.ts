import { SECOND_MS, isImplausibleVersion, type Desired } from '@escale/protocol'
import { withSample, type ClockSample } from './clock.ts'
import { applyDocument, isClockDoubtful, withCall } from './document.ts'
import { corrected, notShownAbove, rebased } from './lease.ts'
import { withCorrectedTimes } from './outbox.ts'
import { rejected, restOf, step, withRest, type StationState, type Step } from './state.ts'

/** Handles a document from the server: a newer one is applied, an older one changes nothing. */
export function applyDesired(state: StationState, desired: Desired, nowMs: number): Step {
  if (state.phase.kind === 'pairing') return rejected(state, 'desiredReceived', 'not-enrolled')
  const wantsSession = desired.state === 'active' || desired.state === 'suspended'
  if (wantsSession && desired.session === undefined) {
    return rejected(state, 'desiredReceived', 'desired-without-session')
  }
  if (desired.version > state.version) return applyDocument(withoutDoubt(state), desired, nowMs)
  if (desired.version === state.version) return confirmDocument(state, desired, nowMs)
  // A lower version is normally just old. Only one that is far lower puts our own version in doubt.
  if (!isImplausibleVersion(state.version, desired.version, -Infinity)) {
    return rejected(state, 'desiredReceived', 'stale-desired')
  }
  const contested = { desired, arrivedMs: nowMs }
  if (state.clock === undefined) return rejected({ ...state, contested }, 'desiredReceived', 'stale-desired')
  return resolveContested(state, contested, nowMs)
}

/**
 * Decides between our version, if no server can have issued it, and a document with a far lower version. The server's
 * clock decides: the document is applied only if it was sent just before it arrived. One that arrived late is old.
 */
function resolveContested(
  state: StationState,
  contested: NonNullable<StationState['contested']>,
  nowMs: number,
): Step {
  const { desired, arrivedMs } = contested
  const uncontested = withoutDoubt(state)
  const stale = rejected({ ...state, contested: undefined }, 'desiredReceived', 'stale-desired')
  const { clock } = state
  if (clock === undefined || !isImplausibleVersion(state.version, desired.version, nowMs + clock.offsetMs))
    return stale
  return isClockDoubtful(clock, desired, arrivedMs) ? stale : applyDocument(uncontested, desired, nowMs)
}

/** The state before a document is applied: it needs no confirmation, and no contested document is left. */
function withoutDoubt(state: StationState): StationState {
  const { contested: _contested, isUnconfirmed: _isUnconfirmed, ...rest } = state
  return rest
}

/**
 * The current document, sent again. It normally changes nothing. After a start it corrects what the agent read from
 * its own file, because anybody at the station may have changed that file.
 */
function confirmDocument(state: StationState, desired: Desired, nowMs: number): Step {
  const { isUnconfirmed, ...confirmed } = state
  // The call is not saved across a restart: the document says whether one is open.
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

/** Adds one clock sample, and corrects the lease with it. */
export function applyClockSample(state: StationState, sample: ClockSample, nowMs: number): Step {
  const change = withSample(state.clock, sample)
  if (change.kind === 'dropped') return rejected(state, 'clockSampled', 'round-trip-too-long')
  const { clock } = change
  const { contested, ...uncontested } = state
  const known: StationState = {
    ...uncontested,
    clock,
    events: withCorrectedTimes(state, clock.offsetMs - state.stampOffsetMs),
    stampOffsetMs: clock.offsetMs,
  }
  if (contested !== undefined) {
    const resolved = resolveContested({ ...known, contested }, contested, nowMs)
    if (resolved.state.version !== state.version) return resolved
  }
  const rest = restOf(state.phase)
  if (rest?.kind !== 'active') return step(known)
  const lease = change.kind === 'stepped' ? rebased(rest.lease, clock) : corrected(rest.lease, clock, nowMs)
  const next = { ...known, phase: withRest(state.phase, { ...rest, lease }) }
  // Without a save, a restart would give back the time that the correction took away.
  return lease.endMs < rest.lease.endMs ? step(next, { kind: 'save' }) : step(next)
}

export const OPENING_LIMIT_MS = 10 * SECOND_MS
