import { SECOND_MS, SILENT_AFTER_HEARTBEATS } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Room } from '../../domain/room.ts'
import type { RoomStation } from '../../domain/station.ts'
import type { Settings } from '../settings/index.ts'

/**
 * Notices when an online station has been silent for 2.5 heartbeat intervals, independently of the broker. Time in
 * which this server was stopped and received nothing does not count.
 */
export function createSilenceWatch(
  room: Pick<Room, 'stations'>,
  ports: { settings: Settings; clock: Clock },
  onSilence: () => Promise<void>,
) {
  const { settings, clock } = ports
  let timer: NodeJS.Timeout | undefined
  let work: Promise<void> = Promise.resolve()
  let isStopped = false
  const online = () => [...room.stations()].filter(({ presence }) => presence.online)
  const silentAfterMs = () => SILENT_AFTER_HEARTBEATS * settings.current().heartbeatIntervalMs
  const silentMs = ({ presence }: RoomStation) => {
    const heardMs = presence.lastHeardAtMs ?? 0
    return clock.nowMs() - heardMs - (clock.missedSinceMs?.(heardMs) ?? 0)
  }

  function waitAnew(): void {
    clearTimeout(timer)
    timer = undefined
    if (isStopped) return
    const longestMs = online().reduce((most, station) => Math.max(most, silentMs(station)), -Infinity)
    if (longestMs === -Infinity) return
    timer = setTimeout(
      () => {
        timer = undefined
        work = work.then(onSilence).finally(waitAnew)
      },
      Math.max(SECOND_MS, silentAfterMs() - longestMs),
    )
  }

  return {
    /** Watches a station that has come online, unless an earlier deadline is waited for already. */
    wait(): void {
      if (timer === undefined) waitAnew()
    },
    /** Waits for the next station whose deadline has changed. */
    waitAnew,
    silentIds(): string[] {
      const silent = online().filter((station) => silentMs(station) >= silentAfterMs())
      return silent.map(({ record }) => record.id)
    },
    /** Resolves when nothing is running any more. */
    async stop(): Promise<void> {
      isStopped = true
      clearTimeout(timer)
      await work
    },
  }
}
