import { SECOND_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import { createBatchedWrites } from '../../db/batched-writes.ts'
import type { Database } from '../../db/database.ts'
import type { StationPresence } from '../../domain/station.ts'
import type { AppEvents } from '../../events.ts'
import { CROWD_MS, type KnownStations } from './coming-and-going.ts'
import type { PresenceRepository } from './repository.ts'
import type { RoomStore } from './store.ts'

/** Data of stations are written together, at most once in this time. */
const SAVE_MS = SECOND_MS

/** Data of a station, to be stored. */
interface Told {
  stationId: string
  told?: Partial<StationPresence>
}

/** Saves the data that stations send: all of one second in one write. */
export function createSaving(ports: {
  database: Database
  repository: Pick<PresenceRepository, 'saveTold'>
  stations: KnownStations
  room: Pick<RoomStore, 'station' | 'changePresence' | 'unsaved'>
  events: AppEvents
  log: Logger
}) {
  const { database, repository, stations, room, events, log } = ports
  const { unsaved } = room
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  function saveSoon(stationId: string): void {
    unsaved.add(stationId)
    if (!isStopped) timer ??= setTimeout(() => void flush(), SAVE_MS)
  }

  /** Saves the data of the given stations. A deleted station must not prevent the others from being saved. */
  async function save(items: readonly Told[]): Promise<void> {
    const known = await stations.knownIds(items.map(({ stationId }) => stationId))
    const seen = new Map<string, StationPresence>()
    const presences = new Map<string, StationPresence>()
    for (const { stationId, told } of items) {
      const station = room.station(stationId)
      if (!station || !known.has(stationId)) continue
      seen.set(stationId, station.presence)
      presences.set(stationId, { ...(presences.get(stationId) ?? station.presence), ...told })
    }
    await repository.saveTold(presences)
    const stationIds = [...presences.keys()]
    database.afterCommit(() => {
      // Data that arrived in the meantime are saved next.
      for (const { stationId } of items)
        if (room.station(stationId)?.presence === seen.get(stationId)) unsaved.delete(stationId)
      for (const { stationId, told } of items)
        if (told && presences.has(stationId)) room.changePresence(stationId, told)
      events.emit({ type: 'presencesSaved', stationIds })
    })
  }

  const together = createBatchedWrites(database, save, { crowdMs: CROWD_MS })

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (unsaved.size === 0) return
    try {
      await database.write(() => save([...unsaved].map((stationId) => ({ stationId }))))
    } catch (err) {
      log.error({ err }, 'saving what stations tell failed, trying again')
    }
    for (const id of unsaved) saveSoon(id)
  }

  return {
    saveSoon,
    /** Commits the data of a station at once; the room has them after the commit. */
    saveNow: (stationId: string, told: Partial<StationPresence>): Promise<void> =>
      together.add({ stationId, told }),
    /** Saves the remaining data, and nothing afterwards. */
    async stop(): Promise<void> {
      isStopped = true
      await together.settled()
      await flush()
    },
  }
}
