import { SECOND_MS } from '@escale/protocol'
import { shownMsOf, type Lease } from './lease.ts'
import { withEvent } from './outbox.ts'
import { seatDeadline } from './seat.ts'
import { restOf, step, withRest, type Phase, type RestPhase, type StationState, type Step } from './state.ts'

/** How often the remaining time is saved while a session runs. */
export const SAVE_INTERVAL_MS = 5 * SECOND_MS
/** How long a warning stays on the screen. */
export const WARNING_SHOWN_MS = 10 * SECOND_MS

export type LocalEnd = 'expired' | 'logged_out' | 'suspended_too_long'

/** How long the notice of a reboot or shutdown stays on the screen if the machine does not go down in time. */
const GOING_DOWN_SHOWN_MS = 10 * SECOND_MS

const MAX_ENDED_SESSIONS = 16

/** Leaves a session: the station is cleaned, then enters the phase `next`. */
export const leaveSession = (next: RestPhase): Phase => ({ kind: 'cleaning', next })

export const lockedIdle: RestPhase = { kind: 'locked', entry: { kind: 'idle' } }

/** Remembers that a session has ended for good: no later document may open it again. */
export function withEnded(ended: readonly string[], sessionId: string): readonly string[] {
  return [...ended, sessionId].slice(-MAX_ENDED_SESSIONS)
}

/** Ends the current session for good, without the server. An event informs the server as soon as possible. */
export function endLocally(
  state: StationState,
  sessionId: string,
  reason: LocalEnd,
  atMs: number,
): StationState {
  const details = { sessionId, reason, version: state.version }
  return {
    ...withEvent(state, 'session_ended', details, atMs),
    warning: undefined,
    endedSessionIds: withEnded(state.endedSessionIds, sessionId),
    phase: leaveSession(lockedIdle),
  }
}

/** Splits the warning thresholds into those already reached and those still ahead. */
function crossings(lease: Lease, nowMs: number) {
  const shownMs = shownMsOf(lease, nowMs)
  return {
    crossed: lease.armed.filter((s) => s * SECOND_MS >= shownMs),
    ahead: lease.armed.filter((s) => s * SECOND_MS < shownMs),
  }
}

function settleLease(state: StationState, lease: Lease, nowMs: number): Step {
  if (lease.endMs <= nowMs) return step(endLocally(state, lease.sessionId, 'expired', lease.endMs))
  const { crossed, ahead } = crossings(lease, nowMs)
  const thresholdSeconds = crossed.at(-1)
  const rest = restOf(state.phase)
  if (thresholdSeconds === undefined || rest?.kind !== 'active') return step(state)
  const { sessionId } = lease
  const phase = withRest(state.phase, { ...rest, lease: { ...lease, armed: ahead } })
  const untilMs = nowMs + WARNING_SHOWN_MS
  const warned = { ...state, phase, warning: { thresholdSeconds, untilMs } }
  return step(
    state.isOnline
      ? warned
      : withEvent(warned, 'warned', { sessionId, remainingSeconds: thresholdSeconds }, nowMs),
    { kind: 'warn', sessionId, remainingSeconds: thresholdSeconds },
  )
}

function settleRest(state: StationState, rest: RestPhase, nowMs: number): Step {
  switch (rest.kind) {
    case 'active':
      return settleLease(state, rest.lease, nowMs)
    case 'suspended': {
      const { sessionId, deadlineMs } = rest.pause
      if (deadlineMs > nowMs) return step(state)
      return step(endLocally(state, sessionId, 'suspended_too_long', deadlineMs))
    }
    case 'locked': {
      if (rest.entry.kind !== 'opening' || rest.entry.deadlineMs > nowMs) return step(state)
      const entry = { kind: 'refused', code: 'unavailable' } as const
      return step({ ...state, phase: withRest(state.phase, { kind: 'locked', entry }) })
    }
    case 'maintenance':
      return step(state)
  }
}

const isPast = (untilMs: number | undefined, nowMs: number) => untilMs !== undefined && untilMs <= nowMs

const downUntilMsOf = ({ goingDown }: StationState) =>
  goingDown === undefined ? undefined : goingDown.atMs + GOING_DOWN_SHOWN_MS

/** Removes what the screen shows for a limited time, when that time is over. */
function settleShown(state: StationState, nowMs: number): StationState {
  const { warning, identifyUntilMs, staffCall, throttledUntilMs, goingDown } = state
  const callUntilMs = staffCall?.kind === 'calling' ? undefined : staffCall?.untilMs
  return {
    ...state,
    warning: isPast(warning?.untilMs, nowMs) ? undefined : warning,
    identifyUntilMs: isPast(identifyUntilMs, nowMs) ? undefined : identifyUntilMs,
    goingDown: isPast(downUntilMsOf(state), nowMs) ? undefined : goingDown,
    throttledUntilMs: isPast(throttledUntilMs, nowMs) ? undefined : throttledUntilMs,
    staffCall: isPast(callUntilMs, nowMs) ? undefined : staffCall,
  }
}

function settleSave(state: StationState, nowMs: number): Step {
  const isCounting = restOf(state.phase)?.kind === 'active' || restOf(state.phase)?.kind === 'suspended'
  if (!isCounting || state.nextSaveMs > nowMs) return step(state)
  return step({ ...state, nextSaveMs: nowMs + SAVE_INTERVAL_MS }, { kind: 'save' })
}

/** Does everything that is due at `nowMs`: session ends, warnings, time limits, the periodic save. */
export function settle(state: StationState, nowMs: number): Step {
  const rest = restOf(state.phase)
  const afterRest = rest === undefined ? step(state) : settleRest(state, rest, nowMs)
  const afterShown = settleShown(afterRest.state, nowMs)
  const afterSave = settleSave(afterShown, nowMs)
  return { state: afterSave.state, effects: [...afterRest.effects, ...afterSave.effects] }
}

function restDeadlines(rest: RestPhase | undefined): number[] {
  switch (rest?.kind) {
    case 'active': {
      const { lease } = rest
      const nextThreshold = lease.armed[0]
      return [lease.endMs, ...(nextThreshold === undefined ? [] : [lease.endMs - nextThreshold * SECOND_MS])]
    }
    case 'suspended':
      return [rest.pause.deadlineMs]
    case 'locked':
      return rest.entry.kind === 'opening' ? [rest.entry.deadlineMs] : []
    default:
      return []
  }
}

/** The next instant (monotonic ms) at which something is due; undefined if there is none. */
export function nextDeadline(state: StationState): number | undefined {
  const { phase, warning, identifyUntilMs, staffCall, throttledUntilMs, nextSaveMs } = state
  const rest = restOf(phase)
  const isCounting = rest?.kind === 'active' || rest?.kind === 'suspended'
  const deadlines = [
    ...restDeadlines(rest),
    seatDeadline(state),
    isCounting ? nextSaveMs : undefined,
    warning?.untilMs,
    identifyUntilMs,
    downUntilMsOf(state),
    throttledUntilMs,
    staffCall !== undefined && staffCall.kind !== 'calling' ? staffCall.untilMs : undefined,
  ].filter((ms) => ms !== undefined)
  return deadlines.length === 0 ? undefined : Math.min(...deadlines)
}
