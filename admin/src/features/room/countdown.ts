import { shownSecondsOf, unixMsOf, type Session } from '@escale/protocol'

/** From this many seconds on, a countdown is highlighted. The visitor is warned for the first time then. */
export const ENDING_SOON_SECONDS = 300

type TimedSession = Pick<Session, 'state' | 'remainingSeconds' | 'endsAt'>

/**
 * The remaining seconds that are shown for a session at the server's time `serverNowMs` (Unix ms). For an active
 * session they are computed from `endsAt`, so a late message or a sleeping tab does not matter.
 */
export function shownRemaining(session: TimedSession, serverNowMs: number): number {
  if (session.state !== 'active' || session.endsAt === undefined) return session.remainingSeconds
  return shownSecondsOf(unixMsOf(session.endsAt) - serverNowMs)
}

/** The part of the granted time that is left, 0..1, as the bar shows it. */
export function shareLeft(grantedSeconds: number, remainingSeconds: number): number {
  if (grantedSeconds <= 0) return 0
  return Math.min(1, Math.max(0, remainingSeconds / grantedSeconds))
}
