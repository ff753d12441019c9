import { SECOND_MS, MINUTE_MS, unixMsOf, type Desired } from '@escale/protocol'
import type { ServerClock } from './clock.ts'

/** A `...Ms` that is not a duration is an instant of the agent's monotonic clock; `...UnixMs` is the server's clock. */
export interface HeldSession {
  sessionId: string
  displayName: string
  grantedSeconds: number
  /** Thresholds (seconds left, descending) whose warning has not been shown yet. */
  armed: readonly number[]
  /** When the site closes, if that is what ends the session. */
  closesAt?: string
}

/** The right to run a session until its end, with or without the server. */
export interface Lease extends HeldSession {
  endsAtUnixMs?: number
  endMs: number
  /** Upper limit of the shown time, after a correction that would have raised it. */
  shownCapMs?: number
}

export interface Pause extends HeldSession {
  remainingMs: number
  /** When the suspension becomes too long and the session ends. */
  deadlineMs: number
}

export type DesiredSession = NonNullable<Desired['session']>

/** Milliseconds left to show on the screen at `nowMs`; 0 at the end and after. */
export function shownMsOf(lease: Lease, nowMs: number): number {
  return Math.max(0, Math.min(lease.endMs - nowMs, lease.shownCapMs ?? Infinity))
}

/** Thresholds (seconds) below `remainingMs`, descending: those that are still ahead. */
export function thresholdsBelow(warningsSeconds: readonly number[], remainingMs: number): number[] {
  return warningsSeconds.filter((s) => s * SECOND_MS < remainingMs).sort((a, b) => b - a)
}

/** Thresholds to warn at after a document: all those ahead if time was added, else those from before. */
function thresholdsAfter(
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
 * The end of a session on our monotonic clock, ms. If the server's clock is known it comes from `endsAt`, else from
 * `remainingSeconds`, counted from the arrival of the document.
 */
function endMsOf({ session, sentAt, clock, nowMs }: DocumentFacts): number {
  const leftMs = remainingMsOf(session)
  if (clock === undefined) return nowMs + leftMs
  if (session.endsAt !== undefined) {
    return Math.min(unixMsOf(session.endsAt) - clock.offsetMs, nowMs + session.grantedSeconds * SECOND_MS)
  }
  return Math.min(nowMs, unixMsOf(sentAt) - clock.offsetMs) + leftMs
}

/** A session never has more time left than it was granted, whatever a document says. */
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
    ...heldBy(session, thresholdsAfter(session, held, warningsSeconds, endMs - nowMs)),
    endMs,
    ...(session.endsAt === undefined ? {} : { endsAtUnixMs: unixMsOf(session.endsAt) }),
  }
}

/** The pause that a `desired` document asks for. A session that is already paused keeps its deadline. */
export function pauseOf(facts: DocumentFacts, paused: Pause | undefined, maxSuspendedMinutes: number): Pause {
  const { session, held, warningsSeconds, nowMs } = facts
  const remainingMs = remainingMsOf(session)
  return {
    ...heldBy(session, thresholdsAfter(session, held, warningsSeconds, remainingMs)),
    remainingMs,
    deadlineMs:
      paused?.sessionId === session.id ? paused.deadlineMs : nowMs + maxSuspendedMinutes * MINUTE_MS,
  }
}

/** Corrects the lease after a better clock estimate: the end becomes exact, and the shown time never rises. */
export function corrected(lease: Lease, clock: ServerClock, nowMs: number): Lease {
  if (lease.endsAtUnixMs === undefined) return lease
  const endMs = Math.min(lease.endsAtUnixMs - clock.offsetMs, nowMs + lease.grantedSeconds * SECOND_MS)
  return endMs <= lease.endMs ? { ...lease, endMs } : notShownAbove(lease, { ...lease, endMs }, nowMs)
}

/** A lease that replaces `before` without added time: the shown time stands still until the real one is lower. */
export function notShownAbove(before: Lease, after: Lease, nowMs: number): Lease {
  const shownMs = shownMsOf(before, nowMs)
  return shownMsOf(after, nowMs) > shownMs ? { ...after, shownCapMs: shownMs } : after
}

/** The lease after the server's wall clock was set: it ends when it did, expressed in the new clock. */
export function rebased(lease: Lease, clock: ServerClock): Lease {
  if (lease.endsAtUnixMs === undefined) return lease
  return { ...lease, endsAtUnixMs: lease.endMs + clock.offsetMs }
}
