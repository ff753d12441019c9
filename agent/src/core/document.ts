import { unixMsOf, type Desired } from '@escale/protocol'
import { CLOCK_STEP_MS, type ServerClock } from './clock.ts'
import { leaveSession, lockedIdle } from './deadlines.ts'
import { leaseOf, pauseOf } from './lease.ts'
import {
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
 * Whether a document's `sentAt` contradicts our estimate of the server's clock: the document came very late, or the
 * server's wall clock was set. In both cases the agent asks for the time again before it uses `endsAt`.
 */
export function isClockDoubtful(clock: ServerClock, desired: Desired, nowMs: number): boolean {
  return Math.abs(nowMs + clock.offsetMs - unixMsOf(desired.sentAt)) > CLOCK_STEP_MS
}

function restAsked(state: StationState, desired: Desired, nowMs: number): RestPhase | 'session-over' {
  const { session } = desired
  const rest = restOf(state.phase)
  if (desired.state === 'maintenance') return { kind: 'maintenance' }
  if (desired.state === 'locked' || session === undefined) {
    return rest?.kind === 'locked' ? rest : lockedIdle
  }
  const held = sessionOf(state.phase)
  const isOthers = session.bootId !== undefined && session.bootId !== state.bootId
  // Another start of the agent opened this session. A restarted agent that saved it goes on; a copied disk does not.
  if (isOthers && (desired.conflict === true || held?.sessionId !== session.id)) {
    return rest?.kind === 'locked' ? rest : lockedIdle
  }
  // The session has ended here: it is not opened again. If the server had suspended it before that end, a document with
  // `suspended` comes first and removes it from the ended sessions.
  if (desired.state === 'active' && state.endedSessionIds.includes(session.id)) return 'session-over'
  const { warningsSeconds, maxSuspendedMinutes } = state.config
  const { clock } = state
  const facts = { session, sentAt: desired.sentAt, clock, held, warningsSeconds, nowMs }
  if (desired.state === 'active') return { kind: 'active', lease: leaseOf(facts) }
  const paused = rest?.kind === 'suspended' ? rest.pause : undefined
  return { kind: 'suspended', pause: pauseOf(facts, paused, maxSuspendedMinutes) }
}

/** Keeps an unanswered request to end the session, as long as the session is the same. */
function withEndTag(rest: RestPhase, before: RestPhase | undefined): RestPhase {
  if (rest.kind !== 'active' && rest.kind !== 'suspended') return rest
  if (before?.kind !== 'active' && before?.kind !== 'suspended') return rest
  return before.endTag === undefined ? rest : { ...rest, endTag: before.endTag }
}

/** Applies a document, whatever its version. It describes the whole state that the server wants. */
export function applyDocument(state: StationState, desired: Desired, nowMs: number): Step {
  const isDoubtful = state.clock !== undefined && isClockDoubtful(state.clock, desired, nowMs)
  const withOpenCall = withCall(state, desired.staffCall?.state)
  const known: StationState = isDoubtful ? { ...withOpenCall, clock: undefined } : withOpenCall
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
  const hasSession = asked.kind === 'active' || asked.kind === 'suspended'
  const isLeaving = held !== undefined && !(hasSession && held.sessionId === desired.session?.id)
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
      phase: isLeaving ? leaveSession(next) : withRest(state.phase, next),
    },
    ...effects,
  )
}

/** Sets the open call. When the server has closed it, the screen no longer shows that staff were called. */
export function withCall(state: StationState, openCall: StationState['openCall']): StationState {
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
