import { uptime } from 'node:os'

const CHECK_INTERVAL_MS = 500
/** A smaller difference between the two clocks is a late reading, not a sleep. */
const MIN_SLEEP_MS = 1_000

/**
 * Milliseconds that never go back and that include the time that the machine sleeps. On Linux the process clock stops
 * while the machine is suspended; the machine's uptime does not.
 */
export function createMonotonicClock(
  processMs: () => number = () => performance.now(),
  uptimeMs: () => number = () => uptime() * 1_000,
): () => number {
  let sleptMs = 0
  let checkedAtMs = processMs()
  let gapMs = uptimeMs() - checkedAtMs
  return () => {
    const nowMs = processMs()
    if (nowMs - checkedAtMs >= CHECK_INTERVAL_MS) {
      checkedAtMs = nowMs
      const newGapMs = uptimeMs() - nowMs
      if (newGapMs - gapMs > MIN_SLEEP_MS) {
        sleptMs += newGapMs - gapMs
        gapMs = newGapMs
      }
    }
    return nowMs + sleptMs
  }
}
