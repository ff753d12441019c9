import { SECOND_MS } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Room } from '../../domain/room.ts'

/** A start of the agent without a message for this long has ended, because heartbeats are more frequent. */
const SILENT_MS = 30 * SECOND_MS
const LOOK_MS = 5 * SECOND_MS
/** Maximum number of remembered starts of the agent for each station. */
const MOST_STARTS = 16

interface Seen {
  /** The start of the agent that connected last. */
  current: string
  /** The time of the last message of each start, Unix milliseconds. */
  heardMs: Map<string, number>
}

export type Machines = ReturnType<typeof createMachines>

/**
 * Distinguishes one machine that restarts from two machines with the same identity, for example with copied disks.
 * After a newer start, an older one never comes back. If it does, two machines are online and replace each other's
 * connection in turn.
 */
export function createMachines({
  room,
  clock,
}: {
  room: Pick<Room, 'station' | 'stations' | 'setConflict'>
  clock: Clock
}) {
  const stations = new Map<string, Seen>()
  let timer: NodeJS.Timeout | undefined
  let onEnded: (stationId: string) => void = () => undefined

  const isHeard = (seen: Seen, bootId: string) =>
    clock.nowMs() - (seen.heardMs.get(bootId) ?? -Infinity) <= SILENT_MS

  const isInConflict = (stationId: string) => room.station(stationId)?.conflictAtMs !== undefined

  function look(): void {
    let isAnyLeft = false
    for (const [stationId, seen] of stations) {
      if (!isInConflict(stationId)) continue
      const heard = [...seen.heardMs.keys()].filter((bootId) => isHeard(seen, bootId))
      if (heard.length > 1) {
        isAnyLeft = true
        continue
      }
      room.setConflict(stationId, undefined)
      seen.heardMs = new Map(heard.map((bootId) => [bootId, clock.nowMs()]))
      onEnded(stationId)
    }
    timer = isAnyLeft ? setTimeout(look, LOOK_MS) : undefined
  }

  return {
    /** @param ended called for each station whose conflict has ended */
    start(ended: (stationId: string) => void): void {
      onEnded = ended
      for (const { record, presence } of room.stations())
        if (presence.bootId !== null)
          stations.set(record.id, { current: presence.bootId, heardMs: new Map([[presence.bootId, 0]]) })
    },

    stop: () => clearTimeout(timer),

    forget: (stationId: string) => void stations.delete(stationId),

    /** The start of the agent of the station's connection, if it is known. */
    bootIdOf: (stationId: string): string | undefined => stations.get(stationId)?.current,

    isInConflict,

    /** Records that a start of the agent is still running. */
    hear(stationId: string, bootId: string): void {
      const seen = stations.get(stationId)
      if (seen?.heardMs.has(bootId)) seen.heardMs.set(bootId, clock.nowMs())
    },

    /**
     * Handles a new start of the agent.
     * @returns what is new
     */
    noteAgentStart(stationId: string, bootId: string): 'nothing' | 'start' | 'conflict' {
      const nowMs = clock.nowMs()
      const seen = stations.get(stationId) ?? { current: bootId, heardMs: new Map<string, number>() }
      stations.set(stationId, seen)
      const isKnown = seen.heardMs.has(bootId)
      const isReturn = isKnown && seen.current !== bootId && isHeard(seen, seen.current)
      seen.current = bootId
      seen.heardMs.delete(bootId)
      seen.heardMs.set(bootId, nowMs)
      for (const oldest of seen.heardMs.keys()) {
        if (seen.heardMs.size <= MOST_STARTS) break
        seen.heardMs.delete(oldest)
      }
      if (isReturn && !isInConflict(stationId)) {
        room.setConflict(stationId, nowMs)
        timer ??= setTimeout(look, LOOK_MS)
        return 'conflict'
      }
      return isKnown ? 'nothing' : 'start'
    },
  }
}
