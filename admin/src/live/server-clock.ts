/** How many of the newest samples are used. The two clocks drift apart, so old samples become wrong. */
const WINDOW = 60

export interface ServerClock {
  /** The server said `sentAtMs` (Unix ms, its clock) when our monotonic clock read `receivedAtMs`. */
  learn: (sentAtMs: number, receivedAtMs: number) => void
  /** Forgets all samples: before a new connection, either computer may have slept or set its clock. */
  reset: () => void
  /** Estimated Unix milliseconds at the server when our monotonic clock reads `monotonicMs`. */
  nowMs: (monotonicMs: number) => number
}

/**
 * Estimates the server's clock. Each message is late by its time on the network, so the fastest sample is the most
 * accurate. Our own wall clock is used only until the first message: it may be wrong by years.
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
