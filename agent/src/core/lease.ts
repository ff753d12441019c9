import { SECOND_MS, MINUTE_MS, unixMsOf, type Desired } from '@escale/protocol'
import type { ServerClock } from './clock.ts'

/** Every `...Ms` that is not a duration is on the agent's monotonic clock; `...UnixMs` is the server's. */
export interface HeldSession {
  sessionId: string
  displayName: string
  grantedSeconds: number
  /** Thresholds in seconds still to be warned of, descending. */
  armed: readonly number[]
  /** Instant at which the site closes, where that ends the session. */
  closesAt?: string
}

/** The right to count a session down alone, to its end. */
export interface Lease extends HeldSession {
  endsAtUnixMs?: number
  endMs: number
  /** Ceiling of the shown time after a correction that would have raised it. */
  shownCapMs?: number
}

export interface Pause extends HeldSession {
  remainingMs: number
  /** When the suspension has lasted too long. */
  deadlineMs: number
}

export type DesiredSession = NonNullable<Desired['session']>

/** Milliseconds left as the screen may show them at `nowMs`; 0 at the end and after. */
export function shownMsOf(lease: Lease, nowMs: number): number {
  return Math.max(0, Math.min(lease.endMs - nowMs, lease.shownCapMs ?? Infinity))
}

/** Thresholds (seconds) below `remainingMs`, descending: those still to be crossed. */
export function thresholdsBelow(warningsSeconds: readonly number[], remainingMs: number): number[] {
  return warningsSeconds.filter((s) => s * SECOND_MS < remainingMs).sort((a, b) => b - a)
}

/** Thresholds that a document leaves armed: all those ahead after a grant, else what was armed before. */
function armedBy(
  session: DesiredSession,
  held: HeldSession | undefined,
  warnings: readonly number[],
  leftMs: number,
) {
  const ahead = thresholdsBelow(warnings, leftMs)
  if (held?.sessionId !== session.id || session.grantedSeconds > held.grantedSeconds) return ahead
  return [...held.armed]
}

interface DocumentFacts {
  session: DesiredSession
  sentAt: string
  clock: ServerClock | undefined
  held: HeldSession | undefined
  warningsSeconds: readonly number[]
  nowMs: number
}

/**
 * The end of a session on our monotonic clock, ms: `endsAt` by the server's clock where that is known, else
 * `remainingSeconds` counted from arrival.
 */
function endMsOf({ session, sentAt, clock, nowMs }: DocumentFacts): number {
  const leftMs = remainingMsOf(session)
  if (clock === undefined) return nowMs + leftMs
  if (session.endsAt !== undefined) {
    return Math.min(unixMsOf(session.endsAt) - clock.offsetMs, nowMs + session.grantedSeconds * SECOND_MS)
  }
  return Math.min(nowMs, unixMsOf(sentAt) - clock.offsetMs) + leftMs
}

/** No session has more left than it was granted, whatever a document says. */
const remainingMsOf = ({ remainingSeconds, grantedSeconds }: DesiredSession) =>
  Math.min(remainingSeconds, grantedSeconds) * SECOND_MS

function heldBy(session: DesiredSession, armed: readonly number[]): HeldSession {
  const { id, displayName, grantedSeconds, closesAt } = session
  const held = { sessionId: id, displayName, grantedSeconds, armed }
  return closesAt === undefined ? held : { ...held, closesAt }
}

/** The lease that a `desired` document grants. */
export function leaseOf(facts: DocumentFacts): Lease {
  const { session, held, warningsSeconds, nowMs } = facts
  const endMs = endMsOf(facts)
  return {
    ...heldBy(session, armedBy(session, held, warningsSeconds, endMs - nowMs)),
    endMs,
    ...(session.endsAt === undefined ? {} : { endsAtUnixMs: unixMsOf(session.endsAt) }),
  }
}

/** The pause that a `desired` document asks for; a session already paused keeps its deadline. */
export function pauseOf(facts: DocumentFacts, paused: Pause | undefined, maxSuspendedMinutes: number): Pause {
  const { session, held, warningsSeconds, nowMs } = facts
  const remainingMs = remainingMsOf(session)
  return {
    ...heldBy(session, armedBy(session, held, warningsSeconds, remainingMs)),
    remainingMs,
    deadlineMs:
      paused?.sessionId === session.id ? paused.deadlineMs : nowMs + maxSuspendedMinutes * MINUTE_MS,
  }
}

/** The lease by a better known clock: it ends at the truth, and what is shown never rises on the way. */
export function corrected(lease: Lease, clock: ServerClock, nowMs: number): Lease {
  if (lease.endsAtUnixMs === undefined) return lease
  const endMs = Math.min(lease.endsAtUnixMs - clock.offsetMs, nowMs + lease.grantedSeconds * SECOND_MS)
  return endMs <= lease.endMs ? { ...lease, endMs } : notShownAbove(lease, { ...lease, endMs }, nowMs)
}

/** The lease that follows another without a grant: what is shown stands still until the truth is below it. */
export function notShownAbove(before: Lease, after: Lease, nowMs: number): Lease {
  const shownMs = shownMsOf(before, nowMs)
  return shownMsOf(after, nowMs) > shownMs ? { ...after, shownCapMs: shownMs } : after
}

/** The lease after the server's wall clock was set: the end stays where it is, told in the new reckoning. */
export function rebased(lease: Lease, clock: ServerClock): Lease {
  if (lease.endsAtUnixMs === undefined) return lease
  return { ...lease, endsAtUnixMs: lease.endMs + clock.offsetMs }
}
