/** How often the process looks whether it runs. */
const LOOK_MS = 500
/** Longer than this between two looks, it stood still: it was frozen, or busy with one thing. */
const PAUSE_MS = 1_000
/** Deadlines look back on minutes, not on days. */
const MOST_PAUSES = 100

/**
 * Notices when the process stood still (stopped, swapped out, its machine overloaded) and heard nobody. Whoever
 * counts how long another has been silent leaves that time out. Each question looks at the clock first, so a timer that
 * is late because of a pause finds that pause already counted.
 */
export function createPauses(monotonicMs: () => number = () => performance.now()) {
  const pauses: { untilMs: number; ms: number }[] = []
  let lookedMs = monotonicMs()

  function look() {
    const nowMs = monotonicMs()
    const gapMs = nowMs - lookedMs
    lookedMs = nowMs
    if (gapMs < PAUSE_MS) return
    pauses.push({ untilMs: nowMs, ms: gapMs })
    if (pauses.length > MOST_PAUSES) pauses.shift()
  }
  setInterval(look, LOOK_MS).unref()

  return {
    /** Milliseconds since `sinceMs`, by the monotonic clock, in which nothing was heard. */
    missedSinceMs(sinceMs: number): number {
      look()
      return pauses.reduce((sum, { untilMs, ms }) => sum + Math.max(0, Math.min(ms, untilMs - sinceMs)), 0)
    },
  }
}
