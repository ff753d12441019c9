/** Milliseconds in one second, minute, day of 24 hours. */
export const SECOND_MS = 1_000
export const MINUTE_MS = 60_000
export const DAY_MS = 86_400_000

/** People enter minutes; all code counts seconds. */
export const secondsOfMinutes = (minutes: number) => minutes * 60

/** Whole seconds elapsed, rounded down, from milliseconds. */
export function elapsedSecondsOf(elapsedMs: number): number {
  return Math.floor(Math.max(0, elapsedMs) / SECOND_MS)
}

/** Whole seconds left: granted - elapsed (so a started second still shows as left), never negative. */
export function remainingSecondsOf(grantedSeconds: number, elapsedMs: number): number {
  return Math.max(0, grantedSeconds - elapsedSecondsOf(elapsedMs))
}

/** Whole seconds that a screen shows for milliseconds left: rounded up, 0 only at the end. */
export function shownSecondsOf(remainingMs: number): number {
  return Math.ceil(Math.max(0, remainingMs) / SECOND_MS)
}

/** Used share of the granted time, 0..100, one decimal. A grant of 0 seconds is used up. */
export function percentUsedOf(grantedSeconds: number, elapsedSeconds: number): number {
  if (grantedSeconds <= 0) return 100
  return Math.min(100, Math.round((elapsedSeconds / grantedSeconds) * 1_000) / 10)
}

/** RFC 3339 UTC with milliseconds, from Unix milliseconds. */
export function instantOf(unixMs: number): string {
  return new Date(unixMs).toISOString()
}

/**
 * Unix milliseconds of an instant.
 * @throws RangeError when the text is not an instant.
 */
export function unixMsOf(instant: string): number {
  // RFC 3339 has leap seconds, Date does not.
  const unixMs = Date.parse(instant.replace(/:60(?=[.Zz+-])/, ':59'))
  if (Number.isNaN(unixMs)) throw new RangeError(`not an instant: ${instant}`)
  return unixMs
}

/** Countdown as people read it: `4:05`, `1:00:00`. */
export function clockTextOf(seconds: number): string {
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = String(seconds % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}
