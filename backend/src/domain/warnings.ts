import { SECOND_MS } from '@escale/protocol'

export interface Warning {
  atMs: number
  remainingSeconds: number
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
