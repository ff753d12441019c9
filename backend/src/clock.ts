import { createPauses } from './setup/pauses.ts'

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
