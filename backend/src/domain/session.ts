import { SECOND_MS, elapsedSecondsOf, percentUsedOf, remainingSecondsOf } from '@escale/protocol'
import type { EndReason, ErrorCode, SessionState } from '@escale/protocol'

/**
 * A session's grants and instants. The remaining time is computed from them; no counter is stored.
 * `runningSinceMs` is set only while the session is active; `consumedMs` is the time that ran before it.
 * All instants are Unix milliseconds.
 */
export interface SessionClock {
  state: SessionState
  grantedSeconds: number
  creditSeconds: number
  consumedMs: number
  runningSinceMs?: number
  codeExpiresAtMs: number
  startedAtMs?: number
  suspendedAtMs?: number
  endedAtMs?: number
  endReason?: EndReason
  /** By how much steps of the clock have moved the instants back in total; see `afterStep`. */
  movedBackMs?: number
}

export interface SessionRules {
  /** How long a session may stay suspended before it ends, milliseconds. */
  maxSuspendedMs: number
}

export type SessionInput =
  | { type: 'start' }
  | { type: 'addTime'; seconds: number }
  | { type: 'suspend' }
  | { type: 'resume' }
  | { type: 'terminate'; reason: Extract<EndReason, 'terminated' | 'logged_out' | 'station_lost'> }
  | { type: 'timePassed' }
  /** The station reports that it ended the session at `atMs`. `unseenSeconds` were granted but never reached it. */
  | {
      type: 'stationEnded'
      atMs: number
      reason: Extract<EndReason, 'expired' | 'logged_out' | 'suspended_too_long'>
      unseenSeconds: number
    }

export type SessionEffect =
  | { type: 'started' }
  | { type: 'timeAdded'; addedSeconds: number; reason?: 'closing' }
  | { type: 'suspended' }
  | { type: 'resumed' }
  | { type: 'ended'; reason: EndReason; atMs: number }
  /** The session had ended by a report of the station; its event now gives the exact instant and reason. */
  | { type: 'endRefined'; reason: EndReason; atMs: number }
  /** The station continued after the session's end. This is recorded, not charged. */
  | { type: 'overrunNoted'; beyondMs: number }
  | { type: 'rejected'; code: ErrorCode }

/** An effect of a change that was made, not of a refusal. */
export type LastingEffect = Exclude<SessionEffect, { type: 'rejected' }>

export interface SessionStep<T extends SessionClock> {
  session: T
  effects: SessionEffect[]
}

/** Milliseconds that the session has run at `nowMs`, at most the granted time. */
export function elapsedMsAt(session: SessionClock, nowMs: number): number {
  const running = session.runningSinceMs === undefined ? 0 : Math.max(0, nowMs - session.runningSinceMs)
  return Math.min(session.grantedSeconds * SECOND_MS, session.consumedMs + running)
}

/** The instant at which an active session runs out; undefined in every other state. */
export function endsAtMsOf(session: SessionClock): number | undefined {
  if (session.runningSinceMs === undefined) return undefined
  return session.runningSinceMs + session.grantedSeconds * SECOND_MS - session.consumedMs
}

/** The session after the clock moved by `byMs`: its instants move too, so its remaining time does not change. */
export function shifted<T extends SessionClock>(session: T, byMs: number): T {
  const move = (atMs: number | undefined) => (atMs === undefined ? undefined : atMs + byMs)
  return {
    ...session,
    codeExpiresAtMs: session.state === 'pending' ? session.codeExpiresAtMs + byMs : session.codeExpiresAtMs,
    startedAtMs: move(session.startedAtMs),
    runningSinceMs: move(session.runningSinceMs),
    suspendedAtMs: move(session.suspendedAtMs),
  }
}

/**
 * A session after the server's clock was set by `stepMs`.
 *
 * Instants that this start of the server wrote move with the clock. Instants of an earlier start were right by the
 * clock of that time. They move back with the clock, because used time must not be given again. They move forward only
 * as far as they were moved back before. So a clock that is behind at a start and is corrected later changes nothing in
 * the end.
 * @param isOfThisStart whether this start of the server wrote the session's current instants
 */
export function afterStep<T extends SessionClock>(session: T, stepMs: number, isOfThisStart: boolean): T {
  if (isOfThisStart) return shifted(session, stepMs)
  const { movedBackMs = 0 } = session
  const moveMs = Math.min(stepMs, movedBackMs)
  return { ...shifted(session, moveMs), movedBackMs: movedBackMs - moveMs }
}

/** The instant from which a session's time counts, or until which its code is valid. It changes with each transition. */
export function stampOf(session: SessionClock): number | undefined {
  return session.state === 'pending'
    ? session.codeExpiresAtMs
    : (session.runningSinceMs ?? session.suspendedAtMs)
}

/** The next instant at which time alone changes the session; undefined once it is over. */
export function deadlineMsOf(session: SessionClock, rules: SessionRules): number | undefined {
  switch (session.state) {
    case 'pending':
      return session.codeExpiresAtMs
    case 'active':
      return endsAtMsOf(session)
    case 'suspended':
      return (session.suspendedAtMs ?? 0) + rules.maxSuspendedMs
    case 'ended':
      return undefined
  }
}

/** A session's time as every reader gets it: elapsed is rounded down, remaining = granted - elapsed. */
export function sessionTimeAt(session: SessionClock, nowMs: number) {
  const elapsedSeconds = elapsedSecondsOf(elapsedMsAt(session, nowMs))
  return {
    elapsedSeconds,
    remainingSeconds: remainingSecondsOf(session.grantedSeconds, elapsedSeconds * SECOND_MS),
    percentUsed: percentUsedOf(session.grantedSeconds, elapsedSeconds),
  }
}

/**
 * The life cycle `pending -> active <-> suspended -> ended`. An end that is due at `nowMs` is applied first, at its
 * own instant. So an input that comes too late finds an ended session.
 */
export function transition<T extends SessionClock>(
  session: T,
  input: SessionInput,
  nowMs: number,
  rules: SessionRules,
): SessionStep<T> {
  if (input.type === 'stationEnded') return applyStationEnd(session, input, nowMs)
  const due = endIfDue(session, nowMs, rules)
  const { session: after, effects } = apply(due.session, input, nowMs)
  return { session: after, effects: [...due.effects, ...effects] }
}

function endIfDue<T extends SessionClock>(session: T, nowMs: number, rules: SessionRules): SessionStep<T> {
  const deadlineMs = deadlineMsOf(session, rules)
  if (deadlineMs === undefined || nowMs < deadlineMs) return step(session)
  if (session.state === 'pending') return end(session, 'code_expired', deadlineMs)
  return end(session, session.state === 'active' ? 'expired' : 'suspended_too_long', deadlineMs)
}

function apply<T extends SessionClock>(
  session: T,
  input: Exclude<SessionInput, { type: 'stationEnded' }>,
  nowMs: number,
): SessionStep<T> {
  switch (input.type) {
    case 'timePassed':
      return step(session)
    case 'start':
      if (session.state !== 'pending') return rejected(session, 'session-not-pending')
      return step(
        { ...session, state: 'active', startedAtMs: nowMs, runningSinceMs: nowMs, movedBackMs: 0 },
        { type: 'started' },
      )
    case 'addTime':
      if (session.state === 'ended') return rejected(session, 'session-ended')
      return addTime(session, input.seconds, nowMs)
    case 'suspend':
      if (session.state !== 'active') return rejected(session, notActiveCode(session))
      return step(
        {
          ...session,
          state: 'suspended',
          consumedMs: elapsedMsAt(session, nowMs),
          runningSinceMs: undefined,
          suspendedAtMs: nowMs,
          movedBackMs: 0,
        },
        { type: 'suspended' },
      )
    case 'resume':
      if (session.state !== 'suspended') {
        return rejected(session, session.state === 'ended' ? 'session-ended' : 'session-not-suspended')
      }
      return step(
        { ...session, state: 'active', runningSinceMs: nowMs, suspendedAtMs: undefined, movedBackMs: 0 },
        { type: 'resumed' },
      )
    case 'terminate':
      if (session.state === 'ended') return rejected(session, 'session-ended')
      return end(session, input.reason, nowMs)
  }
}

/** Removes at most the remaining time: a running session then ends within its current second. */
function addTime<T extends SessionClock>(session: T, seconds: number, nowMs: number): SessionStep<T> {
  const usedSeconds = Math.ceil(elapsedMsAt(session, nowMs) / SECOND_MS)
  const grantedSeconds = Math.max(
    session.grantedSeconds + seconds,
    Math.min(usedSeconds, session.grantedSeconds),
  )
  const addedSeconds = grantedSeconds - session.grantedSeconds
  return step({ ...session, grantedSeconds }, { type: 'timeAdded', addedSeconds })
}

/**
 * The instant at which a station ended its session is final, unless the server ended or suspended the session before
 * that. Then the server's instant stays, and the time used after it is recorded but not charged.
 */
function applyStationEnd<T extends SessionClock>(
  session: T,
  input: Extract<SessionInput, { type: 'stationEnded' }>,
  nowMs: number,
): SessionStep<T> {
  if (session.state === 'pending') return rejected(session, 'session-not-active')
  const atMs = Math.min(Math.max(input.atMs, session.startedAtMs ?? nowMs), nowMs)
  if (session.state === 'ended') {
    const beyondMs = atMs - (session.endedAtMs ?? atMs)
    if (beyondMs < 0 && session.endReason === 'logged_out') return refineEnd(session, input, atMs)
    return beyondMs > SECOND_MS ? noted(session, beyondMs) : step(session)
  }
  const suspendedAtMs = session.suspendedAtMs ?? Infinity
  if (input.reason !== 'suspended_too_long' && atMs > suspendedAtMs)
    return noted(session, atMs - suspendedAtMs)
  const ended = end(session, input.reason, atMs)
  return { ...ended, session: withUnseen(ended.session, input.unseenSeconds) }
}

/** Credits the granted time that never reached the station, at most the time that was left. */
function withUnseen<T extends SessionClock>(ended: T, unseenSeconds: number): T {
  const leftSeconds = ended.grantedSeconds - elapsedSecondsOf(ended.consumedMs)
  return { ...ended, creditSeconds: ended.creditSeconds + Math.max(0, Math.min(unseenSeconds, leftSeconds)) }
}

/** Replaces an end that was taken from the station's report by the exact and earlier end of its event. */
function refineEnd<T extends SessionClock>(
  session: T,
  { reason, unseenSeconds }: Extract<SessionInput, { type: 'stationEnded' }>,
  atMs: number,
): SessionStep<T> {
  const tooMuchMs = (session.endedAtMs ?? atMs) - atMs
  const consumedMs = Math.max(0, session.consumedMs - tooMuchMs)
  const refined = { ...session, consumedMs, endedAtMs: atMs, endReason: reason }
  return step(withUnseen(refined, unseenSeconds), { type: 'endRefined', reason, atMs })
}

function end<T extends SessionClock>(session: T, endReason: EndReason, atMs: number): SessionStep<T> {
  return step(
    {
      ...session,
      state: 'ended',
      consumedMs: elapsedMsAt(session, atMs),
      runningSinceMs: undefined,
      suspendedAtMs: undefined,
      endedAtMs: atMs,
      endReason,
    },
    { type: 'ended', reason: endReason, atMs },
  )
}

const step = <T extends SessionClock>(session: T, ...effects: SessionEffect[]): SessionStep<T> => ({
  session,
  effects,
})
const rejected = <T extends SessionClock>(session: T, code: ErrorCode): SessionStep<T> =>
  step(session, { type: 'rejected', code })
const noted = <T extends SessionClock>(session: T, beyondMs: number): SessionStep<T> =>
  step(session, { type: 'overrunNoted', beyondMs })
const notActiveCode = (session: SessionClock): ErrorCode =>
  session.state === 'ended' ? 'session-ended' : 'session-not-active'

/** Removes the time after `closesAtMs`. A session that ends before that does not change. */
export function endByClosing<T extends SessionClock>(
  session: T,
  closesAtMs: number,
  nowMs: number,
): SessionStep<T> {
  const excessSeconds = Math.ceil(((endsAtMsOf(session) ?? 0) - closesAtMs) / SECOND_MS)
  if (excessSeconds <= 0) return step(session)
  const { session: cut, effects } = addTime(session, -excessSeconds, nowMs)
  return step(cut, ...effects.map((effect) => ({ ...effect, reason: 'closing' }) as SessionEffect))
}
