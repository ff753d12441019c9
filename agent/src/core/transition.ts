import { SECOND_MS, type SiteConfig } from '@escale/protocol'
import { applyClockSample, applyDesired } from './desired.ts'
import { leaveSession, settle } from './deadlines.ts'
import { thresholdsBelow, shownMsOf } from './lease.ts'
import { withEvent } from './outbox.ts'
import { requestEnd, callStaff, settleRequest, typeCode } from './requests.ts'
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

const IDENTIFY_SHOWN_MS = 15 * SECOND_MS
const MAX_NOTICES = 5
/** Longest error text in an event: its details may hold 2 KB, and a character may take several bytes. */
export const MAX_ERROR_LENGTH = 300

/**
 * The state machine of the station: the new state after an input, and the effects to carry out. It is pure. Every
 * input has a result in every state; an unexpected one gives a `rejected` effect.
 * @param nowMs the agent's monotonic clock, ms; never goes back.
 */
export function transition(state: StationState, input: Input, nowMs: number): Step {
  const decided = decide(state, input, nowMs)
  const settled = settle(decided.state, nowMs)
  const effects = [...decided.effects, ...settled.effects]
  return { state: settled.state, effects: [...effects, ...consequences(state, settled.state, effects)] }
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
    case 'endAsked':
      return requestEnd(state, nowMs)
    case 'staffCalled':
      return callStaff(state, input.reason, nowMs)
    case 'answered':
      return settleRequest(state, input.kind, input.tag, input.answer, nowMs)
    case 'unanswered':
      return settleRequest(state, input.kind, input.tag, undefined, nowMs)
    case 'cleaned':
      return finishCleaning(state, input.error, nowMs)
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
  // A snapshot of another station is ignored.
  if (snapshot?.stationId !== stationId) {
    return step({ ...state, stationId, phase: { kind: 'locked', entry: { kind: 'idle' } } })
  }
  const { label, version, endedSessionIds, events, config, rest } = snapshot
  const restored = {
    ...state,
    stationId,
    label,
    version,
    endedSessionIds,
    events,
    config,
    isUnconfirmed: true,
  }
  const phase = restoredRest(rest, nowMs)
  return step({ ...restored, phase: snapshot.isCleaning ? leaveSession(state.phase, phase, nowMs) : phase })
}

/** Returns to pairing, where an admin must accept the station. A current session first runs to its end. */
function forgetIdentity(state: StationState): Step {
  const { phase, bootId, stampOffsetMs: wallOffsetMs, clock, config, nextEventSeq, nextTag } = state
  if (phase.kind === 'pairing') return rejected(state, 'identityRefused', 'not-enrolled')
  if (phase.kind !== 'locked' && phase.kind !== 'maintenance')
    return rejected(state, 'identityRefused', 'busy')
  const fresh = { ...initialState({ bootId, wallOffsetMs }), config, nextEventSeq, nextTag }
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

function finishCleaning(state: StationState, error: string | undefined, nowMs: number): Step {
  if (state.phase.kind !== 'cleaning') return rejected(state, 'cleaned', 'not-cleaning')
  const cleaned = { ...state, phase: state.phase.next }
  if (error !== undefined)
    return step(
      withEvent(
        cleaned,
        'fault',
        { kind: 'cleaning-failed', error: error.slice(0, MAX_ERROR_LENGTH) },
        nowMs,
      ),
    )
  return step(state.isOnline ? cleaned : withEvent(cleaned, 'cleaned', {}, nowMs))
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

const isOpen = (state: StationState) => state.phase.kind === 'active'

/** The effects that follow from the change of state, whatever the input was. */
function consequences(before: StationState, after: StationState, already: readonly Effect[]): Effect[] {
  const effects: Effect[] = []
  const isNewPhase = before.phase.kind !== after.phase.kind
  const isNewTruth =
    isNewPhase ||
    before.version !== after.version ||
    sessionOf(before.phase)?.sessionId !== sessionOf(after.phase)?.sessionId
  if (isOpen(before) !== isOpen(after) || (before.phase.kind === 'pairing' && isNewPhase)) {
    effects.push({ kind: isOpen(after) ? 'unlockScreen' : 'lockScreen' })
  }
  if (isNewTruth && after.phase.kind !== 'pairing') effects.push({ kind: 'report' })
  const hasNewEvent =
    lastEventKey(before) !== lastEventKey(after) && after.nextEventSeq !== before.nextEventSeq
  if (hasNewEvent) effects.push({ kind: 'sendEvents' })
  if ((isNewTruth || hasNewEvent) && !already.some(({ kind }) => kind === 'save'))
    effects.push({ kind: 'save' })
  if (isNewPhase && after.phase.kind === 'cleaning') effects.push({ kind: 'cleanUp' })
  return effects
}
