import type { Room } from '../../domain/room.ts'
import type { StationPresence, StationRecord } from '../../domain/station.ts'
import type { AppEvents } from '../../events.ts'
import type { PresenceRepository } from './repository.ts'
import type { createChangeReports } from './change-reports.ts'

/** Maximum number of ids in one query. */
const READ_AT_ONCE = 500

export interface ReloadingPorts {
  repository: Pick<PresenceRepository, 'presences'>
  /** All stations by default. */
  stations: { findAll(where?: { id: string[] }): Promise<StationRecord[]> }
  room: Pick<Room, 'station' | 'stations' | 'putStation' | 'changePresence'>
  /** Stations with data that this server has not saved yet. */
  unsaved: ReadonlySet<string>
  reports: Pick<ReturnType<typeof createChangeReports>, 'as'>
  events: AppEvents
}

/** Reads stations from the database, because other servers or a command may have changed them. */
export function createReloading(ports: ReloadingPorts) {
  const { repository, stations, room, unsaved, reports, events } = ports
  /** Stations that changed here during the read, so that the rows may be older. */
  let touched: Set<string> | undefined
  let reading: Promise<void> = Promise.resolve()

  /** Another server may have received something since, or have changed the presence. */
  function mergePresence(stationId: string, saved: StationPresence): void {
    const known = room.station(stationId)?.presence
    if (!known) return
    const [savedMs, knownMs] = [saved.lastHeardAtMs ?? 0, known.lastHeardAtMs ?? 0]
    const isNewer = savedMs > knownMs || !unsaved.has(stationId)
    // After a start, stations have a full deadline, which stays.
    const merged = isNewer
      ? { ...saved, lastHeardAtMs: savedMs > knownMs ? saved.lastHeardAtMs : known.lastHeardAtMs }
      : { ...known, online: saved.online }
    if (JSON.stringify(inOrder(merged)) !== JSON.stringify(inOrder(known)))
      room.changePresence(stationId, merged)
  }

  function take(
    ids: readonly string[] | undefined,
    records: StationRecord[],
    presences: Map<string, StationPresence>,
    isSkipped: (id: string) => boolean,
  ): void {
    const found = new Set(records.map(({ id }) => id))
    for (const id of ids ?? [...room.stations()].map(({ record }) => record.id))
      if (!found.has(id) && !isSkipped(id) && room.station(id))
        events.emit({ type: 'stationRemoved', stationId: id }, 'peer')
    for (const record of records) {
      if (isSkipped(record.id)) continue
      if (isOther(room.station(record.id)?.record, record)) room.putStation(record)
      const saved = presences.get(record.id)
      if (saved) mergePresence(record.id, saved)
    }
  }

  /** @returns the stations that changed in the meantime, to be read again */
  async function readOnce(ids: readonly string[] | undefined): Promise<string[]> {
    const meanwhile = (touched = new Set<string>())
    try {
      const records = await stations.findAll(ids && { id: [...ids] })
      const presences = await repository.presences(ids)
      touched = undefined
      reports.as('peer', () => take(ids, records, presences, (id) => meanwhile.has(id)))
      return [...meanwhile].filter((id) => ids === undefined || ids.includes(id))
    } finally {
      touched = undefined
    }
  }

  async function reload(ids?: readonly string[]): Promise<void> {
    let left = ids
    do {
      const again: string[] = []
      for (const part of partsOf(left)) again.push(...(await readOnce(part)))
      left = again
    } while (left.length > 0)
  }

  return {
    /** Records that a station has changed here. */
    touch: (stationId: string) => void touched?.add(stationId),

    /** Reads the given stations, by default all; only one read runs at a time. */
    reload(ids?: readonly string[]): Promise<void> {
      reading = reading.catch(() => undefined).then(() => reload(ids))
      return reading
    },
  }
}

function partsOf(ids: readonly string[] | undefined): (readonly string[] | undefined)[] {
  if (ids === undefined) return [undefined]
  const parts = []
  for (let from = 0; from < ids.length; from += READ_AT_ONCE) parts.push(ids.slice(from, from + READ_AT_ONCE))
  return parts
}

function isOther(known: StationRecord | undefined, read: StationRecord): boolean {
  return !known || (Object.keys(known) as (keyof StationRecord)[]).some((key) => known[key] !== read[key])
}

const inOrder = (presence: StationPresence) => Object.entries(presence).sort(([a], [b]) => (a < b ? -1 : 1))
