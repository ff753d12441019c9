import { nextDelay, type BackoffLimits } from './backoff.ts'

/**
 * Why there is no connection. `refused`: nobody answers at the server's address, or the connection broke. `busy`: the
 * server answered that it cannot serve us yet, with CONNACK return code 3.
 */
export type Failure = 'refused' | 'busy'

/** A server that restarts is back within seconds, and so is its room; one that is gone for longer is asked less often. */
const RESTARTING: BackoffLimits = { leastMs: 100, mostMs: 1_000 }
const GONE: BackoffLimits = { leastMs: 250, mostMs: 15_000 }
const QUICK_ATTEMPTS = 30
/** Each attempt costs a busy server time that it needs for the others. */
const BUSY: BackoffLimits = { leastMs: 3_000, mostMs: 30_000 }

export interface Reconnection {
  /** Milliseconds to wait before the next attempt. */
  delayMs: (failure: Failure) => number
  /** To be called once the connection has been healthy for a while: the next wait is short again. */
  recover: () => void
}

/** Decides how patiently a station comes back, by how its attempts have failed. */
export function createReconnection(random: () => number = Math.random): Reconnection {
  let refusedAttempts = 0
  const waitedMs: Record<Failure, number | undefined> = { refused: undefined, busy: undefined }

  const limitsOf = (failure: Failure): BackoffLimits => {
    if (failure === 'busy') return BUSY
    refusedAttempts += 1
    return refusedAttempts <= QUICK_ATTEMPTS ? RESTARTING : GONE
  }

  return {
    delayMs: (failure) => (waitedMs[failure] = nextDelay(waitedMs[failure], limitsOf(failure), random())),
    recover: () => {
      refusedAttempts = 0
      waitedMs.refused = undefined
      waitedMs.busy = undefined
    },
  }
}
