import { CLEANING_FAILED, SECOND_MS } from '@escale/protocol'
import { admit, isAdmitted } from './admission.ts'
import { withEvent } from './outbox.ts'
import {
  rejected,
  restOf,
  sessionOf,
  step,
  type Act,
  type ActEffect,
  type Input,
  type Seat,
  type StationState,
  type Step,
} from './state.ts'

/** How long an act may take, ms. After that it has failed, and is asked for again. */
export const ACT_LIMIT_MS: Readonly<Record<Act, number>> = {
  // A browser that starts with the machine may need half a minute to show the lock.
  lock: 40 * SECOND_MS,
  open: 10 * SECOND_MS,
  clean: 60 * SECOND_MS,
}
const MAX_RETRY_MS = 30 * SECOND_MS
/** Longest error text in an event: its details may hold 2 KB, and a character may take several bytes. */
export const MAX_ERROR_LENGTH = 300

const FAULTS: Readonly<Record<Act, string>> = {
  lock: 'lock-failed',
  open: 'open-failed',
  clean: CLEANING_FAILED,
}

/** Whether the platform has proven that no visitor can use the station. */
export const isLocked = ({ phase, seat }: StationState): boolean =>
  phase.kind !== 'active' && seat.proven === 'locked'

/** Whether the seat is as the phase wants it. While a station is cleaned, nothing else is expected of it. */
export function isProven(state: StationState): boolean {
  const { phase, seat } = state
  if (phase.kind === 'pairing' || phase.kind === 'cleaning') return true
  return seat.proven === (isAdmitted(state) ? 'open' : 'locked')
}

/** Handles what the platform says of an act. */
export function takeOutcome(state: StationState, input: Extract<Input, { id: number }>, nowMs: number): Step {
  const { seat } = state
  if (seat.underWay?.id !== input.id) {
    // An act that was given up may still open the seat. Then nothing is proven any more, whatever is under way.
    const { proven: _proven, underWay: _underWay, ...unknown } = seat
    return rejected(input.kind === 'opened' ? { ...state, seat: unknown } : state, input.kind, 'not-asked')
  }
  if (input.kind === 'actFailed') return step(failed(state, input.error, nowMs))
  const { underWay: _underWay, failure: _failure, ...settled } = seat
  if (input.kind === 'opened') return step(admit({ ...state, seat: { ...settled, proven: 'open' } }))
  if (input.kind !== 'cleaned') return step({ ...state, seat: { ...settled, proven: 'locked' } })
  const cleaned = {
    ...state,
    seat: settled,
    phase: state.phase.kind === 'cleaning' ? state.phase.next : state.phase,
  }
  // A server that is connected knows of the cleaning from `reported`, but not of what was looked at.
  const { details } = input
  return step(state.isOnline && !details ? cleaned : withEvent(cleaned, 'cleaned', { ...details }, nowMs))
}

/**
 * A failure is reported once, however often the act fails before it succeeds. A cleaning is reported again if the server
 * meanwhile wants to use the station.
 */
function failed(state: StationState, error: string, nowMs: number): StationState {
  const { underWay, failure: before, proven, ...seat } = state.seat
  if (underWay === undefined) return state
  const { act } = underWay
  const times = before?.act === act ? before.times + 1 : 1
  const retryAtMs = nowMs + Math.min(MAX_RETRY_MS, SECOND_MS * 2 ** (times - 1))
  // A cleaning that fails leaves the seat locked. After any other failure nothing is proven.
  const known = act === 'clean' && proven !== undefined ? { ...seat, proven } : seat
  const isWanted = act === 'clean' && restOf(state.phase)?.kind !== 'maintenance'
  const isNews = times === 1 || (isWanted && before?.reportedVersion !== state.version)
  const reportedVersion = isNews ? state.version : (before?.reportedVersion ?? state.version)
  const next = { ...state, seat: { ...known, failure: { act, times, retryAtMs, reportedVersion } } }
  if (!isNews) return next
  return withEvent(next, 'fault', { kind: FAULTS[act], error: error.slice(0, MAX_ERROR_LENGTH) }, nowMs)
}

function neededAct(state: StationState): Act | undefined {
  const { phase, seat } = state
  if (isAdmitted(state)) return seat.proven === 'open' ? undefined : 'open'
  if (seat.proven !== 'locked') return 'lock'
  return phase.kind === 'cleaning' ? 'clean' : undefined
}

/** When the failed act is asked for again; undefined if no act waits for that. */
function retryAtMsOf({ seat }: StationState, act: Act | undefined): number | undefined {
  return seat.underWay === undefined && seat.failure?.act === act ? seat.failure?.retryAtMs : undefined
}

/** Asks for the act that the phase needs, if it is time. One act at a time; only a lock does not wait for an opening. */
export function settleSeat(state: StationState, nowMs: number): Step {
  const isLate = state.seat.underWay !== undefined && state.seat.underWay.limitMs <= nowMs
  const known = isLate ? failed(state, 'it took too long', nowMs) : state
  const act = neededAct(known)
  const { underWay } = known.seat
  const isReplaced = act === 'lock' && underWay?.act === 'open'
  if (act === undefined || (underWay !== undefined && !isReplaced)) return step(known)
  if ((retryAtMsOf(known, act) ?? nowMs) > nowMs) return step(known)
  return step({ ...known, seat: started(known.seat, act, nowMs) }, effectOf(known, act))
}

function effectOf({ phase, seat }: StationState, act: Act): ActEffect {
  const id = seat.nextId
  if (act !== 'open') return { kind: act, id }
  return { kind: act, id, sessionId: sessionOf(phase)?.sessionId ?? '' }
}

function started({ proven, ...seat }: Seat, act: Act, nowMs: number): Seat {
  const underWay = { act, id: seat.nextId, limitMs: nowMs + ACT_LIMIT_MS[act] }
  const asked = { ...seat, underWay, nextId: seat.nextId + 1 }
  return act === 'open' || proven === undefined ? asked : { ...asked, proven }
}

/** The next instant (monotonic ms) at which something is due at the seat; undefined if there is none. */
export const seatDeadline = (state: StationState): number | undefined =>
  state.seat.underWay?.limitMs ?? retryAtMsOf(state, neededAct(state))
