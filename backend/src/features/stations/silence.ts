import { SECOND_MS, SILENT_AFTER_HEARTBEATS } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { StationPresenceRow } from '../../db/rows.ts'
import type { Settings } from '../settings/index.ts'

/**
 * Waits until a station that counts as online has been silent for 2.5 heartbeats, whatever the broker thinks. Time in
 * which this server stood still, and heard nobody, is no silence of theirs.
 */
export function createSilenceWatch(
  rows: ReadonlyMap<string, StationPresenceRow>,
  ports: { settings: Settings; clock: Clock },
  onSilence: () => void,
) {
  const { settings, clock } = ports
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  const online = () => [...rows.values()].filter((row) => row.online)
  const silentAfterMs = () => SILENT_AFTER_HEARTBEATS * settings.current().heartbeatIntervalMs
  const silentMs = ({ lastHeardAtMs }: StationPresenceRow) => {
    const heardMs = lastHeardAtMs ?? 0
    return clock.nowMs() - heardMs - (clock.missedSinceMs?.(heardMs) ?? 0)
  }

  return {
    /** Waits for whichever is the next; to be called again when one has come, gone or been silent. */
    wait(): void {
      clearTimeout(timer)
      const silences = online().map(silentMs)
      if (silences.length === 0 || isStopped) return
      const waitMs = silentAfterMs() - Math.max(...silences)
      timer = setTimeout(onSilence, Math.max(SECOND_MS, waitMs))
    },
    silentIds(): string[] {
      const silent = online().filter((row) => silentMs(row) >= silentAfterMs())
      return silent.map(({ stationId }) => stationId)
    },
    stop(): void {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
