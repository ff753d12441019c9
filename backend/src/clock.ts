/** How often the process checks that it still runs. */
const CHECK_MS = 500
/** A longer time between two checks is a pause: the process was stopped, or busy with one thing. */
const PAUSE_MS = 1_000
/** Enough, since deadlines look back on minutes, not on days. */
const MOST_PAUSES = 100

/** The server's time. It follows the monotonic clock, so a step of the wall clock does not move deadlines. */
export interface Clock {
  /** Whole Unix milliseconds. Goes back only when the server follows a step of the wall clock. */
  nowMs(): number
  /** Absent for clocks of tests that do not follow a wall clock. */
  wall?: WallClock
  /** Milliseconds since an instant in which the process was paused and received nothing; absent if not measured. */
  missedSinceMs?(sinceMs: number): number
}

/** The difference between the wall clock and the server's clock. */
export interface WallClock {
  /** Milliseconds by which the wall clock is ahead. 0 at the start; changes when the wall clock is set. */
  aheadMs(): number
  /** Moves the server's clock forward, or back if negative. */
  shift(byMs: number): void
}

/** Reads the wall clock once at the start and then counts with the monotonic clock. */
export function createMonotonicClock(
  wallMs: () => number = () => Date.now(),
  monotonicMs: () => number = () => performance.now(),
): Required<Clock> {
  let offsetMs = wallMs() - monotonicMs()
  const pauses = createPauses(monotonicMs)
  const nowMs = () => Math.floor(monotonicMs() + offsetMs)
  return {
    nowMs,
    missedSinceMs: (sinceMs) => pauses.missedSinceMs(sinceMs - offsetMs),
    wall: {
      aheadMs: () => Math.round(wallMs() - monotonicMs() - offsetMs),
      shift: (byMs) => void (offsetMs += byMs),
    },
  }
}

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
