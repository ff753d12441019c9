import { SECOND_MS, type SiteConfig } from '@escale/protocol'
import { acceptTerms } from './admission.ts'
import { applyClockSample, applyDesired } from './desired.ts'
import { leaveSession, lockedIdle, settle } from './deadlines.ts'
import { thresholdsBelow, shownMsOf } from './lease.ts'
import { withEvent } from './outbox.ts'
import { requestEnd, callStaff, settleRequest, typeCode } from './requests.ts'
import { isProven, settleSeat, takeOutcome } from './seat.ts'
import type { Snapshot } from './saved-state.ts'
import { restoredRest } from './snapshot.ts'
import {
  initialState,
  rejected,
  restOf,
  sessionOf,
  step,
  withRest,
  type Effect,
  type Input,
  type Notice,
  type StationState,
  type Step,
} from './state.ts'
import { reportedStateOf } from './view.ts'

const IDENTIFY_SHOWN_MS = 15 * SECOND_MS
const MAX_NOTICES = 5

/**
 * The state machine of the station: the new state after an input, and the effects to carry out. It is pure. Every
 * input has a result in every state; an unexpected one gives a `rejected` effect.
 * @param nowMs the agent's monotonic clock, ms; never goes back.
 */
export function transition(state: StationState, input: Input, nowMs: number): Step {
  const decided = decide(state, input, nowMs)
  const settled = settle(decided.state, nowMs)
  const seated = settleSeat(settled.state, nowMs)
  const effects = [...decided.effects, ...settled.effects, ...seated.effects]
  return { state: seated.state, effects: [...effects, ...consequences(state, seated.state, effects)] }
}

function decide(state: StationState, input: Input, nowMs: number): Step {
  switch (input.kind) {
    case 'tick':
      return step(state)
    case 'pairingStarted':
      if (state.phase.kind !== 'pairing') return rejected(state, input.kind, 'already-enrolled')
      return step({ ...state, phase: { kind: 'pairing', code: input.code } })
    case 'enrolled':
      return enrol(state, input.stationId, input.snapshot, nowMs)
    case 'identityRefused':
      return forgetIdentity(state)
    case 'linkUp':
      return step({ ...state, isOnline: true })
    case 'linkDown':
      return step({ ...state, isOnline: false })
    case 'configReceived':
      return step(configure(state, input.config, nowMs), { kind: 'save' })
    case 'desiredReceived':
      return applyDesired(state, input.desired, nowMs)
    case 'clockSampled':
      return applyClockSample(state, input.sample, nowMs)
    case 'codeTyped':
      return typeCode(state, input.code, nowMs)
    case 'termsAccepted':
      return acceptTerms(state)
    case 'endAsked':
      return requestEnd(state, nowMs)
    case 'staffCalled':
      return callStaff(state, input.reason, nowMs)
    case 'answered':
      return settleRequest(state, input.kind, input.tag, input.answer, nowMs)
    case 'unanswered':
      return settleRequest(state, input.kind, input.tag, undefined, nowMs)
    case 'locked':
    case 'opened':
    case 'cleaned':
    case 'actFailed':
      return takeOutcome(state, input, nowMs)
    case 'eventAcknowledged':
      return removeEvent(state, input.bootId, input.seq)
    case 'faultFound':
      if (state.phase.kind === 'pairing') return rejected(state, input.kind, 'not-enrolled')
      return step(withEvent(state, 'fault', { kind: input.fault, error: input.error }, nowMs))
    case 'noticeReceived':
      return step({ ...state, notices: withNotice(state.notices, input.notice) })
    case 'noticeDismissed':
      if (!state.notices.some(({ id }) => id === input.id)) {
        return rejected(state, input.kind, 'unknown-notice')
      }
      return step({ ...state, notices: state.notices.filter(({ id }) => id !== input.id) })
    case 'identifyAsked':
      return step({ ...state, identifyUntilMs: nowMs + IDENTIFY_SHOWN_MS })
    case 'goingDown': {
      const { op, delaySeconds } = input
      return step({ ...state, goingDown: { op, atMs: nowMs + delaySeconds * SECOND_MS } })
    }
    case 'powerDownCancelled':
      return step({ ...state, goingDown: undefined })
  }
}

function enrol(state: StationState, stationId: string, snapshot: Snapshot | undefined, nowMs: number): Step {
  if (state.phase.kind !== 'pairing') return rejected(state, 'enrolled', 'already-enrolled')
  // A snapshot of another station is ignored. Without an own one, nobody knows what a visitor left here.
  if (snapshot?.stationId !== stationId) return step({ ...state, stationId, phase: leaveSession(lockedIdle) })
  const { label, version, endedSessionIds, events, config, rest, admittedSessionId } = snapshot
  const restored = {
    ...state,
    stationId,
    label,
    version,
    endedSessionIds,
    events,
    config,
    isUnconfirmed: true,
    ...(admittedSessionId === undefined ? {} : { admittedSessionId }),
  }
  const phase = restoredRest(rest, nowMs)
  return step({ ...restored, phase: snapshot.isCleaning ? leaveSession(phase) : phase })
}

/** Returns to pairing, where an admin must accept the station. A current session first runs to its end. */
function forgetIdentity(state: StationState): Step {
  const { phase, seat, bootId, stampOffsetMs: wallOffsetMs, clock, config, nextEventSeq, nextTag } = state
  if (phase.kind === 'pairing') return rejected(state, 'identityRefused', 'not-enrolled')
  if (phase.kind !== 'locked' && phase.kind !== 'maintenance')
    return rejected(state, 'identityRefused', 'busy')
  const fresh = { ...initialState({ bootId, wallOffsetMs }), seat, config, nextEventSeq, nextTag }
  return step(clock === undefined ? fresh : { ...fresh, clock })
}

/** Applies the site's settings. New warning thresholds apply to the time that the running session has left. */
function configure(state: StationState, config: SiteConfig, nowMs: number): StationState {
  const rest = restOf(state.phase)
  const hasSameThresholds = config.warningsSeconds.join() === state.config.warningsSeconds.join()
  if (hasSameThresholds || rest?.kind !== 'active') return { ...state, config }
  const armed = thresholdsBelow(config.warningsSeconds, shownMsOf(rest.lease, nowMs))
  return { ...state, config, phase: withRest(state.phase, { ...rest, lease: { ...rest.lease, armed } }) }
}

function removeEvent(state: StationState, bootId: string, seq: number): Step {
  const events = state.events.filter((event) => event.bootId !== bootId || event.seq !== seq)
  if (events.length === state.events.length) return rejected(state, 'eventAcknowledged', 'unknown-event')
  return step({ ...state, events }, { kind: 'save' })
}

function withNotice(notices: readonly Notice[], notice: Notice): readonly Notice[] {
  return [...notices.filter(({ id }) => id !== notice.id), notice].slice(-MAX_NOTICES)
}

const lastEventKey = (state: StationState) => {
  const last = state.events.at(-1)
  return last === undefined ? '' : `${last.bootId}/${last.seq}`
}

/** What the server is told, once the seat is proven to be as the phase wants it, or has failed to become so. */
function truthOf(state: StationState): string | undefined {
  if (state.phase.kind === 'pairing' || !(isProven(state) || state.seat.failure)) return undefined
  return [state.version, reportedStateOf(state), sessionOf(state.phase)?.sessionId].join('/')
}

/** The effects that follow from the change of state, whatever the input was. */
function consequences(before: StationState, after: StationState, already: readonly Effect[]): Effect[] {
  const effects: Effect[] = []
  const isNewPhase = before.phase.kind !== after.phase.kind
  const isNewTruth =
    isNewPhase ||
    before.version !== after.version ||
    sessionOf(before.phase)?.sessionId !== sessionOf(after.phase)?.sessionId
  const truth = truthOf(after)
  if (truth !== undefined && truth !== truthOf(before)) effects.push({ kind: 'report' })
  const hasNewEvent =
    lastEventKey(before) !== lastEventKey(after) && after.nextEventSeq !== before.nextEventSeq
  if (hasNewEvent) effects.push({ kind: 'sendEvents' })
  if ((isNewTruth || hasNewEvent) && !already.some(({ kind }) => kind === 'save'))
    effects.push({ kind: 'save' })
  return effects
}
