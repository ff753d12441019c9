import { shownSecondsOf, unixMsOf, type Session } from '@escale/protocol'

/** Below this many seconds a countdown draws attention; the first warning of the visitor. */
export const ENDING_SOON_SECONDS = 300

type TimedSession = Pick<Session, 'state' | 'remainingSeconds' | 'endsAt'>

/**
 * Whole seconds that a session shows at the server's time `serverNowMs` (Unix ms). Running time is
 * computed from `endsAt`, so a late message or a sleeping tab changes nothing; any other state stands still.
 */
export function shownRemaining(session: TimedSession, serverNowMs: number): number {
  if (session.state !== 'active' || session.endsAt === undefined) return session.remainingSeconds
  return shownSecondsOf(unixMsOf(session.endsAt) - serverNowMs)
}

/** Share of the grant that is left, 0..1; what a bar shows. */
export function shareLeft(grantedSeconds: number, remainingSeconds: number): number {
  if (grantedSeconds <= 0) return 0
  return Math.min(1, Math.max(0, remainingSeconds / grantedSeconds))
}
