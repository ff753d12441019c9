/** How many of the latest samples count: old ones must go, for the two clocks drift apart. */
const WINDOW = 60

export interface ServerClock {
  /** The server said `sentAtMs` (Unix ms, its clock) when our monotonic clock read `receivedAtMs`. */
  learn: (sentAtMs: number, receivedAtMs: number) => void
  /** Forgets what was learnt: after a new connection either clock may have been asleep or set. */
  reset: () => void
  /** Unix milliseconds at the server, as far as we know, when our monotonic clock reads `monotonicMs`. */
  nowMs: (monotonicMs: number) => number
}

/**
 * The server's clock as seen from here. Each message is late by its way through the network, so the
 * sample that came fastest is the truest. Our own wall clock counts only until the first message: it
 * may be wrong by years.
 */
export function createServerClock(initialOffsetMs: number): ServerClock {
  let samples: number[] = []
  let offsetMs = initialOffsetMs

  return {
    learn(sentAtMs, receivedAtMs) {
      samples = [...samples.slice(1 - WINDOW), sentAtMs - receivedAtMs]
      offsetMs = Math.max(...samples)
    },
    reset() {
      samples = []
    },
    nowMs: (monotonicMs) => monotonicMs + offsetMs,
  }
}
