export interface Backoff {
  /** Milliseconds to wait before the next attempt; longer each time, and never the same for two stations. */
  nextMs: () => number
  reset: () => void
}

/**
 * Exponential waits with jitter, so that a room of stations does not come back in one wave.
 * @param random 0..1, exclusive of 1.
 */
export function createBackoff(firstMs: number, maxMs: number, random: () => number = Math.random): Backoff {
  let attempt = 0
  return {
    nextMs: () => {
      const ceilingMs = Math.min(maxMs, firstMs * 2 ** attempt)
      attempt = Math.min(attempt + 1, 30)
      return Math.round(ceilingMs * (0.5 + random() / 2))
    },
    reset: () => {
      attempt = 0
    },
  }
}
