/** How often the process checks that it still runs. */
const CHECK_MS = 500
/** A longer time between two checks is a pause: the process was stopped, or busy with one thing. */
const PAUSE_MS = 1_000
/** Enough, since deadlines look back on minutes, not on days. */
const MOST_PAUSES = 100

/**
 * Notices when the process stood still (stopped, swapped out, its machine overloaded) and received nothing. That time
 * does not count as silence of a station. Each question checks the clock first, so that a timer that is late because
 * of a pause finds this pause already counted.
 */
export function createPauses(monotonicMs: () => number = () => performance.now()) {
  const pauses: { untilMs: number; ms: number }[] = []
  let checkedMs = monotonicMs()

  function check() {
    const nowMs = monotonicMs()
    const gapMs = nowMs - checkedMs
    checkedMs = nowMs
    if (gapMs < PAUSE_MS) return
    pauses.push({ untilMs: nowMs, ms: gapMs })
    if (pauses.length > MOST_PAUSES) pauses.shift()
  }
  setInterval(check, CHECK_MS).unref()

  return {
    /** Milliseconds since `sinceMs`, by the monotonic clock, in which nothing was heard. */
    missedSinceMs(sinceMs: number): number {
      check()
      return pauses.reduce((sum, { untilMs, ms }) => sum + Math.max(0, Math.min(ms, untilMs - sinceMs)), 0)
    },
  }
}
