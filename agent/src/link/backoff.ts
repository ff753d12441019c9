export interface Backoff {
  /** Milliseconds to wait before the next attempt; longer each time, and never the same for two stations. */
  nextMs: () => number
  reset: () => void
}

export interface BackoffLimits {
  firstMs: number
  maxMs: number
  /** A lower limit for the first so many attempts. */
  quick?: { maxMs: number; attempts: number }
}

/**
 * Exponential waits with jitter, so that a room of stations does not come back in one wave.
 * @param random 0..1, exclusive of 1.
 */
export function createBackoff(limits: BackoffLimits, random: () => number = Math.random): Backoff {
  const { firstMs, maxMs, quick } = limits
  let attempt = 0
  let ceilingMs = firstMs
  return {
    nextMs: () => {
      attempt += 1
      const limitMs = quick !== undefined && attempt <= quick.attempts ? quick.maxMs : maxMs
      const waitMs = Math.min(limitMs, ceilingMs)
      ceilingMs = waitMs * 2
      return Math.round(waitMs * (0.5 + random() / 2))
    },
    reset: () => {
      attempt = 0
      ceilingMs = firstMs
    },
  }
}
