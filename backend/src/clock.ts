import { createPauses } from './setup/pauses.ts'

/** The server's time. It follows the monotonic clock, so a step of the wall clock moves no deadline. */
export interface Clock {
  /** Unix milliseconds, whole; goes back only where a step of the wall clock is followed. */
  nowMs(): number
  /** Absent where nobody sets the clock but whoever asks for it. */
  wall?: WallClock
  /** Milliseconds since an instant in which the process stood still and heard nobody; absent where that is not known. */
  missedSinceMs?(sinceMs: number): number
}

/** The wall clock beside the server's own, for whoever brings the two together again. */
export interface WallClock {
  /** Milliseconds by which the wall clock is ahead; the two start as one, and a step drives them apart. */
  aheadMs(): number
  /** Puts the server's clock forward by so much, or back where negative. */
  shift(byMs: number): void
}

/** Wall clock as read once at start, carried on by the monotonic clock. */
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
