import {
  DEFAULT_HEARTBEAT_INTERVAL_MS,
  DEFAULT_MAX_SUSPENDED_MINUTES,
  WARNING_SECONDS,
  type CleanedDetails,
  type Desired,
  type Language,
  type SiteConfig,
  type StationOp,
} from '@escale/protocol'
import type { ClockSample, ServerClock } from './clock.ts'
import type { Lease, Pause } from './lease.ts'
import type { Snapshot, StoredEvent } from './saved-state.ts'

export type RefusalCode = string

export type CodeEntry =
  | { kind: 'idle' }
  | { kind: 'validating'; tag: number }
  | { kind: 'starting'; tag: number }
  /** The server has started the session; its document has not arrived yet. */
  | { kind: 'opening'; deadlineMs: number }
  | { kind: 'refused'; code: RefusalCode; message?: string; retryAtMs?: number }

/** A phase that stays until an input or a deadline changes it. `cleaning` leads to one of these. */
export type RestPhase =
  | { kind: 'locked'; entry: CodeEntry }
  | { kind: 'active'; lease: Lease; endTag?: number }
  | { kind: 'suspended'; pause: Pause; endTag?: number }
  | { kind: 'maintenance' }

export type Phase = { kind: 'pairing'; code?: string } | RestPhase | { kind: 'cleaning'; next: RestPhase }

/** What the platform does at the station's seat: its screen, and the account of its visitor. */
export type Act = 'lock' | 'open' | 'clean'

/** The input that says that an act is done. */
export const outcomeOf = { lock: 'locked', open: 'opened', clean: 'cleaned' } as const satisfies Record<
  Act,
  string
>

/** What is known of the seat. Only an outcome that the platform reports proves something. */
export interface Seat {
  /** Undefined at the start, while the seat is opened, and after a failure. */
  proven?: 'locked' | 'open'
  underWay?: { act: Act; id: number; limitMs: number }
  /**
   * The act that failed last, and how many times in a row; gone when an act succeeds. `reportedVersion` is the document
   * that was applied when the fault was reported.
   */
  failure?: { act: Act; times: number; retryAtMs: number; reportedVersion: number }
  nextId: number
}

export type StaffCall =
  { kind: 'calling'; tag: number } | { kind: 'called'; untilMs: number } | { kind: 'failed'; untilMs: number }

export interface Notice {
  id: string
  text: string
  level: 'info' | 'warning'
}

/** A `...Ms` that is not a duration is an instant of the agent's monotonic clock; `...UnixMs` is the server's clock. */
export interface StationState {
  phase: Phase
  seat: Seat
  stationId?: string
  /** The name that people give to the station; known after the first document. */
  label?: string
  /** Version of the last applied `desired` document; 0 before the first. */
  version: number
  /** The state comes from the agent's own file, and no document has confirmed it yet. */
  isUnconfirmed?: boolean
  /** A document with a version far below ours. The server's clock, once known, decides which of the two is wrong. */
  contested?: { desired: Desired; arrivedMs: number }
  bootId: string
  isOnline: boolean
  clock?: ServerClock
  /** Unix ms minus monotonic ms: by the server's clock if it is known, else by the machine's own. */
  stampOffsetMs: number
  config: SiteConfig
  /** The session whose visitor was let in: has accepted the site's terms, or found none. */
  admittedSessionId?: string
  /** Sessions that ended here for good, newest last. */
  endedSessionIds: readonly string[]
  events: readonly StoredEvent[]
  nextEventSeq: number
  nextTag: number
  throttledUntilMs?: number
  warning?: { thresholdSeconds: number; untilMs: number }
  notices: readonly Notice[]
  identifyUntilMs?: number
  /** The machine reboots or shuts down at `atMs`. */
  goingDown?: { op: 'reboot' | 'shutdown'; atMs: number }
  staffCall?: StaffCall
  /** The call that is open here, as the server reports it: it is waiting, or an operator has taken it. */
  openCall?: NonNullable<Desired['staffCall']>['state']
  nextSaveMs: number
}

export type Answer =
  | { ok: true; data: Record<string, unknown> }
  | { ok: false; code: string; message: string; retryAfterSeconds?: number }

export type Input =
  | { kind: 'tick' }
  | { kind: 'pairingStarted'; code: string }
  | { kind: 'enrolled'; stationId: string; snapshot?: Snapshot }
  /** The server no longer accepts this station's secret. */
  | { kind: 'identityRefused' }
  | { kind: 'linkUp' }
  | { kind: 'linkDown' }
  | { kind: 'configReceived'; config: SiteConfig }
  | { kind: 'desiredReceived'; desired: Desired }
  | { kind: 'clockSampled'; sample: ClockSample }
  | { kind: 'codeTyped'; code: string }
  | { kind: 'termsAccepted' }
  | { kind: 'endAsked' }
  | { kind: 'staffCalled'; reason?: string }
  | { kind: 'answered'; tag: number; answer: Answer }
  | { kind: 'unanswered'; tag: number }
  /** Outcomes of the act with this id. */
  | { kind: 'locked' | 'opened'; id: number }
  | { kind: 'cleaned'; id: number; details?: CleanedDetails }
  | { kind: 'actFailed'; id: number; error: string }
  /** Something is wrong with the station itself. */
  | { kind: 'faultFound'; fault: string; error: string }
  | { kind: 'eventAcknowledged'; bootId: string; seq: number }
  | { kind: 'noticeReceived'; notice: Notice }
  | { kind: 'noticeDismissed'; id: string }
  | { kind: 'identifyAsked' }
  | { kind: 'goingDown'; op: 'reboot' | 'shutdown'; delaySeconds: number }
  /** The reboot or shutdown was cancelled, or failed. */
  | { kind: 'powerDownCancelled' }

export type Rejection =
  | 'not-enrolled'
  | 'already-enrolled'
  | 'stale-desired'
  | 'desired-without-session'
  | 'session-over'
  | 'not-locked'
  | 'busy'
  | 'no-session'
  | 'unexpected-answer'
  | 'not-asked'
  | 'unknown-event'
  | 'unknown-notice'
  | 'round-trip-too-long'

/** `sessionId` says whose files may be kept when a seat is opened again. */
export type ActEffect =
  { kind: 'lock' | 'clean'; id: number } | { kind: 'open'; id: number; sessionId: string }

export type Effect =
  | ActEffect
  | { kind: 'report' }
  | { kind: 'save' }
  | { kind: 'warn'; sessionId: string; remainingSeconds: number }
  | { kind: 'sendEvents' }
  | { kind: 'askTime' }
  | { kind: 'request'; tag: number; op: StationOp; params: Record<string, unknown> }
  | { kind: 'rejected'; code: Rejection; input: Input['kind'] }

export interface Step {
  state: StationState
  effects: readonly Effect[]
}

export interface InitialFacts {
  bootId: string
  /** The machine's own Unix ms minus the monotonic clock: used until the server's time is known. */
  wallOffsetMs: number
  language?: Language
}

export const defaultConfig: SiteConfig = {
  heartbeatIntervalMs: DEFAULT_HEARTBEAT_INTERVAL_MS,
  warningsSeconds: [...WARNING_SECONDS],
  maxSuspendedMinutes: DEFAULT_MAX_SUSPENDED_MINUTES,
  language: 'fr',
  branding: { siteName: 'Escale' },
  terms: '',
}

/** A new station: not enrolled, offline, without the server's clock. */
export function initialState({ bootId, wallOffsetMs, language = 'fr' }: InitialFacts): StationState {
  return {
    phase: { kind: 'pairing' },
    seat: { nextId: 1 },
    version: 0,
    bootId,
    isOnline: false,
    stampOffsetMs: wallOffsetMs,
    config: { ...defaultConfig, language },
    endedSessionIds: [],
    events: [],
    nextEventSeq: 0,
    nextTag: 1,
    notices: [],
    nextSaveMs: 0,
  }
}

export const step = (state: StationState, ...effects: Effect[]): Step => ({ state, effects })

export const rejected = (state: StationState, input: Input['kind'], code: Rejection): Step =>
  step(state, { kind: 'rejected', code, input })

/** The phase that says which session there is: the one after the cleaning while one runs, else the phase itself. */
export function restOf(phase: Phase): RestPhase | undefined {
  if (phase.kind === 'pairing') return undefined
  return phase.kind === 'cleaning' ? phase.next : phase
}

/** The current session, running or suspended. */
export function sessionOf(phase: Phase): Lease | Pause | undefined {
  const rest = restOf(phase)
  if (rest?.kind === 'active') return rest.lease
  return rest?.kind === 'suspended' ? rest.pause : undefined
}

/** Sets the phase. If a cleaning runs, the new phase follows it. */
export function withRest(phase: Phase, next: RestPhase): Phase {
  return phase.kind === 'cleaning' ? { ...phase, next } : next
}
