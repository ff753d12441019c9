import { normaliseIp, normaliseMac, type Actor, type Station, type StationInput } from '@escale/protocol'
import type { Bus } from '../../bus/port.ts'
import type { StationRow } from '../../db/rows.ts'
import { listStations, stationFields, type StationFilter } from '../../domain/room-lists.ts'
import { changedStation, type RoomStation } from '../../domain/station.ts'
import { AppError } from '../../errors.ts'
import type { AppEvents } from '../../events.ts'
import type { SeenVersions } from '../../db/versions.ts'
import { selectionOf, type PageQuery, type Rows } from '../../db/page-window.ts'
import type { BasePorts } from '../base-ports.ts'
import type { DesiredDocuments } from '../desired/index.ts'
import type { Machines, Presences, RoomStore } from '../room/index.ts'
import type { SessionService } from '../sessions/index.ts'
import { reservedId, type Usernames } from '../usernames/index.ts'
import type { StaffCalls } from '../staff-calls/index.ts'
import { checkedAddresses } from './addresses.ts'
import type { StationRepository } from './repository.ts'
import { toStation } from './view.ts'

/** Path segments below `/api/postes/` with another meaning. They cannot be ids of stations. */
const namesOfPaths = new Set(['stats', 'disponibles', 'enrol', 'demandes', 'commands', 'appels'])

export interface StationServicePorts extends BasePorts {
  repository: StationRepository
  room: RoomStore
  /** Whether other servers serve the same site. */
  hasPeers: boolean
  presences: Pick<Presences, 'markOffline'>
  machines: Pick<Machines, 'forget'>
  sessions: Pick<SessionService, 'endAtLostStation' | 'findRunningAt'>
  calls: Pick<StaffCalls, 'endWithStation'>
  desired: DesiredDocuments
  usernames: Usernames
  bus: Bus
  events: AppEvents
}

export type Mark = 'maintenance' | 'offline' | 'available'

/** A station and its version. */
interface VersionedStation {
  station: Station
  version: number
}

export type StationService = ReturnType<typeof createStationService>

export function createStationService(ports: StationServicePorts) {
  const { database, repository, room, hasPeers, presences, machines, sessions } = ports
  const { calls, desired, usernames, bus, journal, events, clock } = ports

  /** A station of the room. Another server may have created it just now. */
  async function find(id: string): Promise<RoomStation> {
    if (!room.station(id) && hasPeers) await room.reload([id])
    const station = room.station(id)
    if (!station) throw new AppError('not-found')
    return station
  }

  /**
   * Marks a station.
   * @param options.reason for the journal
   * @returns the station after that
   */
  function mark(
    id: string,
    actor: Actor,
    marked: Mark,
    { reason, expectedVersion }: { reason?: string; expectedVersion?: SeenVersions },
  ): Promise<VersionedStation> {
    return database.write(async () => {
      const station = await repository.get(id, expectedVersion)
      const marks = marksOf(station, marked)
      if (await sessions.findRunningAt(id)) throw new AppError('session-active')
      const known = await find(id)
      if (station.isMaintenance === marks.isMaintenance && station.isMarkedOffline === marks.isMarkedOffline)
        return versioned(known)
      const columns = { ...marks, version: station.version + 1, updatedAtMs: clock.nowMs() }
      await repository.update(id, columns)
      if (station.isMaintenance !== marks.isMaintenance) await desired.change(id, ['station.updated'])
      if (marks.isMarkedOffline) await presences.markOffline(id, actor)
      const noted = { stationId: id, details: { marked }, texts: { reason } }
      await journal.append({ action: 'station.updated', actor, ...noted })
      const presence = marks.isMarkedOffline ? { ...known.presence, online: false } : known.presence
      return versioned(changedStation(known, { record: { ...station, ...columns }, presence }))
    })
  }

  return {
    get: repository.get,

    view: async (id: string): Promise<VersionedStation> => versioned(await find(id)),

    isOnline: (id: string): boolean => room.station(id)?.presence.online ?? false,

    /** Removes the mark when the station sends something. Call it inside a write. */
    unmarkOffline: (id: string): Promise<void> => repository.update(id, { isMarkedOffline: false }),

    findByMac: (macAddress: string) => repository.findBy({ macAddress }),

    list(filter: StationFilter, query: PageQuery): Rows<Station> {
      // Addresses are accepted in any notation.
      const ipAddress = filter.ipAddress && (normaliseIp(filter.ipAddress) ?? filter.ipAddress)
      const macAddress = filter.macAddress && (normaliseMac(filter.macAddress) ?? filter.macAddress)
      const selection = selectionOf(query, stationFields)
      const { count, rows } = listStations(room, { ...filter, ipAddress, macAddress }, selection)
      return { count, rows: rows.map(toStation) }
    },

    stats: () => room.stationStats(),

    create(input: StationInput, actor: Actor): Promise<void> {
      return database.write(async () => {
        if (namesOfPaths.has(input.id)) throw reservedId()
        await usernames.requireFree(input.id)
        const nowMs = clock.nowMs()
        await repository.insert({
          id: input.id,
          label: input.label,
          location: input.location ?? null,
          ...(await checkedAddresses(repository, input, input.id)),
          ...unmarked,
          desiredVersion: await repository.retiredVersion(input.id),
          createdAtMs: nowMs,
          updatedAtMs: nowMs,
        })
        await journal.append({ action: 'station.created', actor, stationId: input.id })
        await desired.change(input.id, ['station.created'])
      })
    },

    replace(id: string, input: Omit<StationInput, 'id'>, actor: Actor, expectedVersion?: SeenVersions) {
      return database.write(async () => {
        const before = await repository.get(id, expectedVersion)
        await repository.update(id, {
          label: input.label,
          location: input.location ?? null,
          ...(await checkedAddresses(repository, input, id)),
          version: before.version + 1,
          updatedAtMs: clock.nowMs(),
        })
        // The document contains the label, which the station shows.
        if (before.label !== input.label) await desired.change(id, ['station.updated'])
        await journal.append({ action: 'station.updated', actor, stationId: id })
      })
    },

    remove(id: string, actor: Actor, expectedVersion?: SeenVersions): Promise<void> {
      return database.write(async () => {
        await repository.get(id, expectedVersion)
        await sessions.endAtLostStation(id, actor)
        await calls.endWithStation(id, actor)
        const { desiredVersion } = await repository.get(id)
        await repository.retire(id, desiredVersion)
        await journal.append({ action: 'station.deleted', actor, stationId: id })
        database.afterCommit(() => {
          machines.forget(id)
          // The document that locks the station was published first. Without it, the visitor could use the station further.
          void bus.clearRetained(id).then(() => {
            bus.disconnectStation(id)
            // Once more, because the station may have published something in the meantime.
            return bus.clearRetained(id)
          })
          events.emit({ type: 'stationRemoved', stationId: id })
        })
      })
    },

    mark,
  }
}

/** A new station, which has no secret yet. */
const unmarked = {
  isMaintenance: false,
  isMarkedOffline: false,
  secretHash: null,
  previousSecretHash: null,
  previousSecretUntilMs: null,
  version: 1,
}

const marksOf = ({ isMaintenance }: StationRow, marked: Mark) => ({
  // Maintenance stays until the station is marked available.
  isMaintenance: marked === 'maintenance' || (marked === 'offline' && isMaintenance),
  isMarkedOffline: marked === 'offline',
})

const versioned = (station: RoomStation): VersionedStation => ({
  station: toStation(station),
  version: station.record.version,
})
