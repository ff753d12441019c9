/** The server's time. It follows the monotonic clock, so a step of the wall clock moves no deadline. */
export interface Clock {
  /** Unix milliseconds, whole, never going back. */
  nowMs(): number
}

/** Wall clock as read once at start, carried on by the monotonic clock. */
export function createMonotonicClock(): Clock {
  return { nowMs: () => Math.floor(performance.timeOrigin + performance.now()) }
}
