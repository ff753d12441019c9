import { SECOND_MS } from '@escale/protocol'

export interface Warning {
  atMs: number
  remainingSeconds: number
}

/**
 * A cut of `addedSeconds` (negative) can skip several warning thresholds. Returns the lowest of them, because one
 * warning is enough; undefined if the cut skips none.
 */
export function crossedByCut(
  endsAtMs: number,
  nowMs: number,
  addedSeconds: number,
  thresholdsSeconds: readonly number[],
): number | undefined {
  const leftMs = endsAtMs - nowMs
  const crossed = thresholdsSeconds.filter(
    (seconds) => seconds * SECOND_MS >= leftMs && seconds * SECOND_MS < leftMs - addedSeconds * SECOND_MS,
  )
  return crossed.length > 0 ? Math.min(...crossed) : undefined
}

/**
 * The next warning after `nowMs` for a session that ends at `endsAtMs`. Thresholds are remaining seconds. When a grant
 * moves `endsAtMs`, thresholds that were already crossed can be crossed again.
 */
export function nextWarning(
  endsAtMs: number,
  nowMs: number,
  thresholdsSeconds: readonly number[],
): Warning | undefined {
  return thresholdsSeconds
    .map((remainingSeconds) => ({ atMs: endsAtMs - remainingSeconds * SECOND_MS, remainingSeconds }))
    .filter(({ atMs }) => atMs > nowMs)
    .sort((a, b) => a.atMs - b.atMs)[0]
}
