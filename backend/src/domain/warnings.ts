import { SECOND_MS } from '@escale/protocol'

export interface Warning {
  atMs: number
  remainingSeconds: number
}

/**
 * The threshold nearest to the end among those that a cut of `addedSeconds` (negative) skips; undefined where it
 * skips none. They are told of as one: the visitor has that little left.
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
 * The next threshold that a session ending at `endsAtMs` will cross strictly after `nowMs`; thresholds are
 * seconds left. A grant moves `endsAtMs`, and with it arms again what had been crossed.
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
