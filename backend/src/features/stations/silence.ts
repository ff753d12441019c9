import { SECOND_MS, SILENT_AFTER_HEARTBEATS } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { StationPresenceRow } from '../../db/rows.ts'
import type { Settings } from '../settings/index.ts'

/** Waits until a station that counts as online has been silent for 2.5 heartbeats, whatever the broker thinks. */
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

  return {
    /** Waits for whichever is the next; to be called again when one has come, gone or been silent. */
    wait(): void {
      clearTimeout(timer)
      const heardMs = online().map((row) => row.lastHeardAtMs ?? 0)
      if (heardMs.length === 0 || isStopped) return
      const waitMs = Math.min(...heardMs) + silentAfterMs() - clock.nowMs()
      timer = setTimeout(onSilence, Math.max(SECOND_MS, waitMs))
    },
    silentIds(): string[] {
      const limitMs = clock.nowMs() - silentAfterMs()
      const silent = online().filter((row) => (row.lastHeardAtMs ?? 0) <= limitMs)
      return silent.map(({ stationId }) => stationId)
    },
    stop(): void {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
