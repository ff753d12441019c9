import { SECOND_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import { createBatchedWrites } from '../../db/batched-writes.ts'
import type { Database } from '../../db/database.ts'
import type { Room } from '../../domain/room.ts'
import type { StationPresence } from '../../domain/station.ts'
import type { AppEvents } from '../../events.ts'
import type { RoomRepository } from './repository.ts'

/** What stations tell is written together, at most this often. */
const SAVE_MS = SECOND_MS

/** What a station tells of itself, to be stored. */
interface Told {
  stationId: string
  told?: Partial<StationPresence>
}

/** Brings what stations tell of themselves into the database: all of a second in one write. */
export function createSaving(ports: {
  database: Database
  repository: Pick<RoomRepository, 'knownIds' | 'saveTold'>
  room: Pick<Room, 'station' | 'changePresence'>
  events: AppEvents
  log: Logger
}) {
  const { database, repository, room, events, log } = ports
  const unsaved = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  function saveSoon(stationId: string): void {
    if (isStopped) return
    unsaved.add(stationId)
    timer ??= setTimeout(() => void flush(), SAVE_MS)
  }

  /** Writes what is told of the given stations; one that is gone must not keep the others from being saved. */
  async function save(items: readonly Told[]): Promise<void> {
    const known = await repository.knownIds(items.map(({ stationId }) => stationId))
    const presences = new Map<string, StationPresence>()
    for (const { stationId, told } of items) {
      const before = presences.get(stationId) ?? room.station(stationId)?.presence
      if (before && known.has(stationId)) presences.set(stationId, { ...before, ...told })
    }
    await repository.saveTold(presences)
    const stationIds = [...presences.keys()]
    database.afterCommit(() => {
      for (const { stationId, told } of items)
        if (told && presences.has(stationId)) room.changePresence(stationId, told)
      events.emit({ type: 'presencesSaved', stationIds })
    })
  }

  const saveTogether = createBatchedWrites(database, save)

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const ids = [...unsaved]
    unsaved.clear()
    if (ids.length === 0) return
    try {
      await database.write(() => save(ids.map((stationId) => ({ stationId }))))
    } catch (err) {
      log.error({ err }, 'saving what stations tell failed, trying again')
      for (const id of ids) saveSoon(id)
    }
  }

  return {
    saveSoon,
    /** Commits at once what a station tells; the room has it once it is committed. */
    saveNow: (stationId: string, told: Partial<StationPresence>): Promise<void> =>
      saveTogether({ stationId, told }),
    /** Saves what is left, and nothing from then on. */
    async stop(): Promise<void> {
      isStopped = true
      await flush()
    },
  }
}
