export interface BackoffLimits {
  /** Shortest and longest wait, milliseconds. */
  leastMs: number
  mostMs: number
}

/**
 * How long to wait before the next attempt: anything between the shortest wait and three times the one before.
 * Stations that fail together are spread out further with each attempt, and wait about half as long as they have
 * waited already. Source: "decorrelated jitter" in "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 * @param previousMs the wait before; undefined at the first attempt
 * @param random 0..1, exclusive of 1
 */
export function nextDelay(
  previousMs: number | undefined,
  { leastMs, mostMs }: BackoffLimits,
  random: number,
): number {
  const ceilingMs = Math.min(mostMs, Math.max(leastMs, (previousMs ?? leastMs) * 3))
  return Math.round(leastMs + random * (ceilingMs - leastMs))
}

export interface Backoff {
  /** Milliseconds to wait before the next attempt. */
  nextMs: () => number
  reset: () => void
}

/** Remembers the wait before, for whoever tries one thing again and again. */
export function createBackoff(limits: BackoffLimits, random: () => number = Math.random): Backoff {
  let previousMs: number | undefined
  return {
    nextMs: () => (previousMs = nextDelay(previousMs, limits, random())),
    reset: () => {
      previousMs = undefined
    },
  }
}
