import { uptime } from 'node:os'

const LOOK_INTERVAL_MS = 500
const SLEEP_STEP_MS = 1_000

/**
 * Milliseconds that never go back and that count on while the machine sleeps: on Linux the process's own clock
 * stands still in a suspend, the machine's uptime does not.
 */
export function createMonotonicClock(
  processMs: () => number = () => performance.now(),
  uptimeMs: () => number = () => uptime() * 1_000,
): () => number {
  let sleptMs = 0
  let lookedAtMs = processMs()
  let gapMs = uptimeMs() - lookedAtMs
  return () => {
    const nowMs = processMs()
    if (nowMs - lookedAtMs >= LOOK_INTERVAL_MS) {
      lookedAtMs = nowMs
      const newGapMs = uptimeMs() - nowMs
      if (newGapMs - gapMs > SLEEP_STEP_MS) {
        sleptMs += newGapMs - gapMs
        gapMs = newGapMs
      }
    }
    return nowMs + sleptMs
  }
}
