import {
  SECOND_MS,
  shownSecondsOf,
  type Heartbeat,
  type Language,
  type Reported,
  type ReportedState,
  instantOf,
} from '@escale/protocol'
import { hasTermsToAccept } from './admission.ts'
import { shownMsOf, type Lease } from './lease.ts'
import { isProven } from './seat.ts'
import { restOf, sessionOf, type Act, type Notice, type Phase, type StationState } from './state.ts'

/** The remaining time. The receiver counts it down from the moment of arrival, with its own monotonic clock. */
export interface CountdownView {
  remainingMs: number
  /** Upper limit of what may be shown. */
  capMs?: number
  grantedSeconds: number
  /** From here on, seconds, there is only time to save one's work. */
  lastWarningSeconds?: number
  endsAt?: string
  /** When the site closes, if that is why the session ends. */
  closesAt?: string
}

export interface EntryView {
  kind: 'idle' | 'checking' | 'refused'
  code?: string
  retryAfterSeconds?: number
}

/** Everything that the station's screen shows. It holds no code, no secret and no identifier of a person. */
export interface ScreenView {
  phase: Phase['kind']
  /** What the station cannot do at its own seat. It is tried again and again. */
  failedAct?: Act
  stationId?: string
  label?: string
  siteName: string
  language: Language
  terms: string
  /** The session begins once the visitor has accepted the terms. */
  hasTermsToAccept: boolean
  /** IANA name of the site's time zone, in which hours are shown. */
  timeZone?: string
  isOnline: boolean
  pairingCode?: string
  entry: EntryView
  displayName?: string
  countdown?: CountdownView
  suspended?: { remainingSeconds: number; limitMs: number }
  isEnding: boolean
  warningSeconds?: number
  /** Each warning also plays a short tone. */
  areWarningsHeard: boolean
  notices: readonly Notice[]
  isIdentifying: boolean
  goingDown?: { op: 'reboot' | 'shutdown'; remainingMs: number }
  /** `called`: just now; `waiting`: for some time, and the visitor may call again; `taken`: an operator comes. */
  staffCall?: 'calling' | 'called' | 'failed' | 'waiting' | 'taken'
}

export function viewOf(state: StationState, nowMs: number): ScreenView {
  const { phase, config } = state
  const rest = restOf(phase)
  const session = sessionOf(phase)
  return {
    phase: phase.kind,
    failedAct: state.seat.failure?.act,
    stationId: state.stationId,
    label: state.label,
    siteName: config.branding.siteName,
    language: config.language,
    terms: config.terms,
    hasTermsToAccept: hasTermsToAccept(state),
    timeZone: config.timeZone,
    isOnline: state.isOnline,
    pairingCode: phase.kind === 'pairing' ? phase.code : undefined,
    entry: entryOf(state, nowMs),
    displayName: session?.displayName,
    countdown: phase.kind === 'active' ? countdownOf(state, phase, nowMs) : undefined,
    suspended:
      phase.kind === 'suspended'
        ? {
            remainingSeconds: shownSecondsOf(phase.pause.remainingMs),
            limitMs: Math.max(0, phase.pause.deadlineMs - nowMs),
          }
        : undefined,
    isEnding: (rest?.kind === 'active' || rest?.kind === 'suspended') && rest.endTag !== undefined,
    warningSeconds: phase.kind === 'active' ? state.warning?.thresholdSeconds : undefined,
    areWarningsHeard: config.areWarningsHeard === true,
    notices: state.notices,
    isIdentifying: state.identifyUntilMs !== undefined,
    goingDown:
      state.goingDown === undefined
        ? undefined
        : { op: state.goingDown.op, remainingMs: Math.max(0, state.goingDown.atMs - nowMs) },
    staffCall: callOf(state),
  }
}

/** A call that is being made, or that failed, is shown first. Otherwise the server knows the state of the call. */
function callOf({ staffCall, openCall }: StationState): ScreenView['staffCall'] {
  if (staffCall !== undefined && staffCall.kind !== 'called') return staffCall.kind
  return openCall === 'taken' ? 'taken' : (staffCall?.kind ?? openCall)
}

function countdownOf(
  state: StationState,
  phase: Extract<Phase, { kind: 'active' }>,
  nowMs: number,
): CountdownView {
  const { lease } = phase
  return {
    remainingMs: Math.max(0, lease.endMs - nowMs),
    capMs: lease.shownCapMs,
    grantedSeconds: lease.grantedSeconds,
    lastWarningSeconds: lastWarningOf(state.config.warningsSeconds),
    endsAt: endsAtOf(state, lease),
    closesAt: lease.closesAt,
  }
}

const lastWarningOf = (warningsSeconds: readonly number[]) =>
  warningsSeconds.length === 0 ? undefined : Math.min(...warningsSeconds)

/** The end by the server's clock. Until that is known, the last `endsAt` is used, never the machine's own clock. */
function endsAtOf(
  { clock, stampOffsetMs }: StationState,
  { endMs, endsAtUnixMs }: Lease,
): string | undefined {
  const unixMs = clock === undefined ? endsAtUnixMs : endMs + stampOffsetMs
  return unixMs === undefined ? undefined : instantOf(Math.round(unixMs))
}

function entryOf(state: StationState, nowMs: number): EntryView {
  if (state.phase.kind !== 'locked') return { kind: 'idle' }
  const { entry } = state.phase
  if (entry.kind === 'idle') return { kind: 'idle' }
  if (entry.kind !== 'refused') return { kind: 'checking' }
  const { code, retryAtMs } = entry
  if (retryAtMs === undefined) return { kind: 'refused', code }
  return { kind: 'refused', code, retryAfterSeconds: Math.max(0, Math.ceil((retryAtMs - nowMs) / SECOND_MS)) }
}

/** Whole seconds left, as reported to the server; undefined without a session. */
function remainingSecondsAt(state: StationState, nowMs: number): number | undefined {
  const rest = restOf(state.phase)
  if (rest?.kind === 'active') return shownSecondsOf(shownMsOf(rest.lease, nowMs))
  return rest?.kind === 'suspended' ? shownSecondsOf(rest.pause.remainingMs) : undefined
}

/** A station is only reported as locked when that is proven; until then it is being made ready, like after a session. */
export function reportedStateOf(state: StationState): ReportedState {
  const { kind } = state.phase
  return isProven(state) || kind === 'active' ? kind : 'cleaning'
}

/** The state that the station reports after it has applied a `desired` document. */
export function reportedOf(state: StationState, nowMs: number): Reported {
  return {
    version: state.version,
    state: reportedStateOf(state),
    ...sessionFields(state, nowMs),
    bootId: state.bootId,
    appliedAt: instantOf(Math.round(nowMs + state.stampOffsetMs)),
  }
}

export type HeartbeatFacts = Pick<
  Heartbeat,
  'cpuPercent' | 'memoryPercent' | 'diskPercent' | 'temperatureC'
> &
  Pick<Heartbeat, 'seq' | 'uptimeSeconds'>

export function heartbeatOf(state: StationState, facts: HeartbeatFacts, nowMs: number): Heartbeat {
  return { bootId: state.bootId, ...facts, state: reportedStateOf(state), ...sessionFields(state, nowMs) }
}

function sessionFields(state: StationState, nowMs: number) {
  const session = sessionOf(state.phase)
  if (session === undefined) return {}
  return { sessionId: session.sessionId, remainingSeconds: remainingSecondsAt(state, nowMs) }
}
