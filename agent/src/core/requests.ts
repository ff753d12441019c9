import { isAccessCodeShape, normaliseAccessCode, SECOND_MS, type StationOp } from '@escale/protocol'
import { endLocally, leaveSession, lockedIdle, withEnded } from './deadlines.ts'
import { OPENING_LIMIT_MS } from './desired.ts'
import { isLocked } from './seat.ts'
import {
  rejected,
  restOf,
  sessionOf,
  step,
  withRest,
  type Answer,
  type CodeEntry,
  type Input,
  type StationState,
  type Step,
} from './state.ts'

/** How long the screen shows that staff were called, or that the call failed. */
const STAFF_CALL_SHOWN_MS = 60 * SECOND_MS

/** Refusals by the station itself. All others carry an error code of the server. */
export const OFFLINE = 'offline'
export const INCOMPLETE_CODE = 'code-incomplete'

function withEntry(state: StationState, entry: CodeEntry): StationState {
  return { ...state, phase: withRest(state.phase, { kind: 'locked', entry }) }
}

function asking(state: StationState, op: StationOp, params: Record<string, unknown>): Step {
  return step({ ...state, nextTag: state.nextTag + 1 }, { kind: 'request', tag: state.nextTag, op, params })
}

/** A visitor has typed a code: asks the server, unless the refusal is certain in advance. */
export function typeCode(state: StationState, typed: string, nowMs: number): Step {
  const { phase, nextTag, throttledUntilMs } = state
  if (phase.kind !== 'locked') return rejected(state, 'codeTyped', 'not-locked')
  const isBusy = phase.entry.kind !== 'idle' && phase.entry.kind !== 'refused'
  if (isBusy) return rejected(state, 'codeTyped', 'busy')
  if (!isLocked(state)) return step(withEntry(state, { kind: 'refused', code: 'unavailable' }))
  if (!isAccessCodeShape(typed)) return step(withEntry(state, { kind: 'refused', code: INCOMPLETE_CODE }))
  if (!state.isOnline) return step(withEntry(state, { kind: 'refused', code: OFFLINE }))
  if (throttledUntilMs !== undefined && throttledUntilMs > nowMs) {
    return step(withEntry(state, { kind: 'refused', code: 'code-throttled', retryAtMs: throttledUntilMs }))
  }
  const entry = { kind: 'validating', tag: nextTag } as const
  return asking(withEntry(state, entry), 'validate_code', { code: normaliseAccessCode(typed) })
}

/** The visitor ends the session: the server is asked. Offline, the station ends the session itself. */
export function requestEnd(state: StationState, nowMs: number): Step {
  const rest = restOf(state.phase)
  if (rest?.kind !== 'active' && rest?.kind !== 'suspended') return rejected(state, 'endAsked', 'no-session')
  if (rest.endTag !== undefined) return rejected(state, 'endAsked', 'busy')
  const sessionId = rest.kind === 'active' ? rest.lease.sessionId : rest.pause.sessionId
  if (!state.isOnline) return step(endLocally(state, sessionId, 'logged_out', nowMs))
  const phase = withRest(state.phase, { ...rest, endTag: state.nextTag })
  return asking({ ...state, phase }, 'end_session', { sessionId })
}

export function callStaff(state: StationState, reason: string | undefined, nowMs: number): Step {
  if (state.phase.kind === 'pairing') return rejected(state, 'staffCalled', 'not-enrolled')
  if (state.staffCall?.kind === 'calling') return rejected(state, 'staffCalled', 'busy')
  if (!state.isOnline) {
    return step({ ...state, staffCall: { kind: 'failed', untilMs: nowMs + STAFF_CALL_SHOWN_MS } })
  }
  const calling = { ...state, staffCall: { kind: 'calling', tag: state.nextTag } as const }
  return asking(calling, 'call_staff', reason === undefined ? {} : { reason })
}

/** Handles the answer to the request that carries `tag`; `undefined` means that none came in time. */
export function settleRequest(
  state: StationState,
  input: Input['kind'],
  tag: number,
  answer: Answer | undefined,
  nowMs: number,
): Step {
  if (state.staffCall?.kind === 'calling' && state.staffCall.tag === tag) {
    const kind = answer?.ok === true ? 'called' : 'failed'
    return step({ ...state, staffCall: { kind, untilMs: nowMs + STAFF_CALL_SHOWN_MS } })
  }
  const rest = restOf(state.phase)
  if (rest?.kind === 'locked' && 'tag' in rest.entry && rest.entry.tag === tag) {
    return settleEntry(state, rest.entry, answer, nowMs)
  }
  if ((rest?.kind === 'active' || rest?.kind === 'suspended') && rest.endTag === tag) {
    return settleEnd(state, answer, nowMs)
  }
  return rejected(state, input, 'unexpected-answer')
}

function settleEntry(
  state: StationState,
  entry: Extract<CodeEntry, { tag: number }>,
  answer: Answer | undefined,
  nowMs: number,
): Step {
  if (answer === undefined) return step(withEntry(state, { kind: 'refused', code: OFFLINE }))
  if (!answer.ok) return step(refuse(state, answer, nowMs))
  if (entry.kind === 'starting') {
    return step(withEntry(state, { kind: 'opening', deadlineMs: nowMs + OPENING_LIMIT_MS }))
  }
  const { sessionId } = answer.data
  if (typeof sessionId !== 'string') {
    return step(withEntry(state, { kind: 'refused', code: 'internal' }))
  }
  const starting = withEntry(state, { kind: 'starting', tag: state.nextTag })
  return asking(starting, 'start_session', { sessionId })
}

function refuse(state: StationState, answer: Extract<Answer, { ok: false }>, nowMs: number): StationState {
  const { code, message, retryAfterSeconds } = answer
  if (retryAfterSeconds === undefined) return withEntry(state, { kind: 'refused', code, message })
  const retryAtMs = nowMs + retryAfterSeconds * SECOND_MS
  const refused = withEntry(state, { kind: 'refused', code, message, retryAtMs })
  return code === 'code-throttled' ? { ...refused, throttledUntilMs: retryAtMs } : refused
}

/** The visitor wants to leave: the session ends here, even if the server refuses or does not answer. */
function settleEnd(state: StationState, answer: Answer | undefined, nowMs: number): Step {
  const held = sessionOf(state.phase)
  if (held === undefined) return step(state)
  if (answer?.ok !== true) return step(endLocally(state, held.sessionId, 'logged_out', nowMs))
  return step({
    ...state,
    warning: undefined,
    endedSessionIds: withEnded(state.endedSessionIds, held.sessionId),
    phase: leaveSession(lockedIdle),
  })
}
