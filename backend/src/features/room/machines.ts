import { SECOND_MS } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Room } from '../../domain/room.ts'

/** A start of the agent that was not heard for this long is gone: heartbeats and reconnections come more often. */
const SILENT_MS = 30 * SECOND_MS
const LOOK_MS = 5 * SECOND_MS
/** Starts of the agent that are remembered of each station. */
const MOST_STARTS = 16

interface Seen {
  /** The start of the agent that announced itself last. */
  current: string
  /** When each start was heard last, Unix milliseconds. */
  heardMs: Map<string, number>
}

export type Machines = ReturnType<typeof createMachines>

/**
 * Tells one machine that starts again from two that have one identity, as copied disks have. A start that is followed
 * by another never comes back; where it does, both are there and take the station's connection from each other in turn.
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
    /** @param ended called for each station that is one machine again */
    start(ended: (stationId: string) => void): void {
      onEnded = ended
      for (const { record, presence } of room.stations())
        if (presence.bootId !== null)
          stations.set(record.id, { current: presence.bootId, heardMs: new Map([[presence.bootId, 0]]) })
    },

    stop: () => clearTimeout(timer),

    forget: (stationId: string) => void stations.delete(stationId),

    /** The start of the agent that the station's connection belongs to, where it told. */
    bootIdOf: (stationId: string): string | undefined => stations.get(stationId)?.current,

    isInConflict,

    /** Notes that a start of the agent is still running. */
    hear(stationId: string, bootId: string): void {
      const seen = stations.get(stationId)
      if (seen?.heardMs.has(bootId)) seen.heardMs.set(bootId, clock.nowMs())
    },

    /** A start of the agent announces itself. @returns what is new by it */
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
