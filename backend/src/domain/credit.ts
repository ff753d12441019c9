import { SECOND_MS } from '@escale/protocol'
import type { SessionClock } from './session.ts'

/** Losses shorter than this are ignored: a restart of the agent alone takes a few seconds. */
export const LEAST_LOST_SECONDS = 10

/**
 * Whole seconds that the visitor lost: the session was running while its station was down from `fromMs` to `untilMs`
 * (Unix milliseconds). 0 below {@link LEAST_LOST_SECONDS}, and for a session that was not running.
 */
export function lostSecondsOf(session: SessionClock, fromMs: number, untilMs: number): number {
  const startMs = session.runningSinceMs ?? session.startedAtMs
  const isCounted = session.state === 'active' || session.endReason === 'expired'
  if (!isCounted || startMs === undefined) return 0
  const lostMs = Math.min(untilMs, session.endedAtMs ?? untilMs) - Math.max(fromMs, startMs)
  const ranMs = session.state === 'ended' ? session.consumedMs : Infinity
  const lostSeconds = Math.floor(Math.min(lostMs, ranMs) / SECOND_MS)
  return lostSeconds < LEAST_LOST_SECONDS ? 0 : lostSeconds
}
