import {
  isIdentifyingMac,
  normaliseIp,
  normaliseMac,
  type Actor,
  type Bilingual,
  type Station,
  type StationInput,
} from '@escale/protocol'
import type { Bus } from '../../bus/port.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { StationRow, StationViewRow } from '../../db/rows.ts'
import { AppError } from '../../errors.ts'
import type { AppEvents } from '../../events.ts'
import { requireVersion, type SeenVersions } from '../../db/versions.ts'
import { windowOf, type PageQuery, type Rows } from '../../db/page-window.ts'
import type { DesiredDocuments } from '../desired/index.ts'
import type { Journal } from '../logs/index.ts'
import type { SessionService } from '../sessions/index.ts'
import { reservedId, type Usernames } from '../usernames/index.ts'
import type { StaffCalls } from '../staff-calls/index.ts'
import type { Machines } from './machines.ts'
import type { Presences } from './presence.ts'
import type { StationFilter, StationRepository } from './repository.ts'
import { toStation } from './view.ts'

const columns = {
  id: 'id',
  // Accents and case aside.
  label: 'searchText',
  location: 'location',
  state: 'state',
  online: 'online',
  ipAddress: 'ipAddress',
  macAddress: 'macAddress',
  lastSeenIp: 'lastSeenIp',
  lastHeartbeatAt: 'lastHeartbeatAtMs',
  agentVersion: 'agentVersion',
  os: 'os',
  createdAt: 'createdAtMs',
  updatedAt: 'updatedAtMs',
}

/** What stands where a station's id would, under `/api/postes/`. */
const namesOfPaths = new Set(['stats', 'disponibles', 'enrol', 'demandes', 'commands', 'appels'])

export interface StationPorts {
  database: Database
  repository: StationRepository
  presences: Presences
  machines: Pick<Machines, 'conflictAtMs' | 'forget'>
  sessions: Pick<SessionService, 'endAtLostStation' | 'findRunningAt'>
  calls: Pick<StaffCalls, 'endWithStation'>
  desired: DesiredDocuments
  usernames: Usernames
  bus: Bus
  journal: Journal
  events: AppEvents
  clock: Clock
}

const namesNobody: Bilingual = {
  fr: 'Cette adresse MAC ne désigne aucune carte réseau\u00a0: donnez celle de la carte du poste.',
  en: 'This MAC address names no network card: give the one of the station’s card.',
}

export type Mark = 'maintenance' | 'offline' | 'available'

export interface MarkOptions {
  /** For the journal. */
  reason?: string
  /** Refuse when the station has another version by now. */
  expectedVersion?: SeenVersions
}

export type StationService = ReturnType<typeof createStationService>

export function createStationService(ports: StationPorts) {
  const {
    database,
    repository,
    presences,
    sessions,
    calls,
    desired,
    usernames,
    bus,
    journal,
    machines,
    events,
    clock,
  } = ports

  async function get(id: string): Promise<StationRow> {
    const row = await repository.find(id)
    if (!row) throw new AppError('not-found')
    return row
  }

  const shown = (row: StationViewRow): Station =>
    toStation(row, presences.find(row.id), desired.progressOf(row.id), machines.conflictAtMs(row.id))

  async function view(id: string): Promise<{ station: Station; version: number }> {
    const row = await repository.findView(id)
    if (!row) throw new AppError('not-found')
    return { station: shown(row), version: row.version }
  }

  const toViews = (rows: StationViewRow[]) => rows.map(shown)

  /** @throws AppError naming the field whose value is no address, or belongs to another station */
  async function addressesOf(input: Omit<StationInput, 'id'>, ownId: string) {
    const ipAddress = input.ipAddress === undefined ? null : normaliseIp(input.ipAddress)
    const macAddress = input.macAddress === undefined ? null : normaliseMac(input.macAddress)
    if (ipAddress === undefined)
      throw invalidField('ipAddress', { fr: 'Ce n’est pas une adresse IP.', en: 'Not an IP address.' })
    if (macAddress === undefined)
      throw invalidField('macAddress', { fr: 'Ce n’est pas une adresse MAC.', en: 'Not a MAC address.' })
    if (macAddress !== null && !isIdentifyingMac(macAddress)) throw invalidField('macAddress', namesNobody)
    const addresses = { ipAddress, macAddress }
    for (const field of ['ipAddress', 'macAddress'] as const) {
      const value = addresses[field]
      const holder = value === null ? undefined : await repository.findBy({ [field]: value })
      if (holder && holder.id !== ownId) throw duplicateField(field, holder.label)
    }
    return addresses
  }

  /** Marks a station, once; the station and the screens are told. */
  function mark(
    id: string,
    actor: Actor,
    marked: Mark,
    { reason, expectedVersion }: MarkOptions,
  ): Promise<void> {
    return database.write(async () => {
      const station = await get(id)
      requireVersion(station, expectedVersion)
      const marks = {
        // Until the station is marked available, whatever else it is marked.
        isMaintenance: marked === 'maintenance' || (marked === 'offline' && station.isMaintenance),
        isMarkedOffline: marked === 'offline',
      }
      if (await sessions.findRunningAt(id)) throw new AppError('session-active')
      if (station.isMaintenance === marks.isMaintenance && station.isMarkedOffline === marks.isMarkedOffline)
        return
      await repository.update(id, { ...marks, version: station.version + 1, updatedAtMs: clock.nowMs() })
      if (station.isMaintenance !== marks.isMaintenance) await desired.change(id, ['station.updated'])
      if (marks.isMarkedOffline) await presences.markOffline(id, actor)
      await journal.append({
        action: 'station.updated',
        actor,
        stationId: id,
        details: { marked },
        texts: { reason },
      })
      tellChanged(id)
    })
  }

  function tellChanged(stationId: string): void {
    database.afterCommit(() => events.emit({ type: 'stationChanged', stationId, isUrgent: true }))
  }

  return {
    get,
    view,

    /** As the database has it, whichever server the station is connected to. */
    async isOnline(id: string): Promise<boolean> {
      return (await repository.findView(id))?.online ?? false
    },

    findByMac: (macAddress: string) => repository.findBy({ macAddress }),

    /** Stations as the screens show them; those that are gone are left out. */
    async viewsOf(ids: string[]): Promise<Station[]> {
      return toViews(await repository.findViews(ids))
    },

    async list(filter: StationFilter, query: PageQuery): Promise<Rows<Station>> {
      // Addresses are known in whatever notation.
      const ipAddress = filter.ipAddress && (normaliseIp(filter.ipAddress) ?? filter.ipAddress)
      const macAddress = filter.macAddress && (normaliseMac(filter.macAddress) ?? filter.macAddress)
      const window = windowOf(query, columns)
      const { count, rows } = await repository.list({ ...filter, ipAddress, macAddress }, window)
      return { count, rows: toViews(rows) }
    },

    async stats() {
      const [total, available, occupied, maintenance, offline, online] = await Promise.all([
        repository.count(),
        repository.countState('available'),
        repository.countState('occupied'),
        repository.countState('maintenance'),
        repository.countState('offline'),
        repository.count({ online: true }),
      ])
      return { total, available, occupied, maintenance, offline, online }
    },

    create(input: StationInput, actor: Actor): Promise<void> {
      return database.write(async () => {
        if (namesOfPaths.has(input.id)) throw reservedId()
        await usernames.requireFree(input.id)
        const nowMs = clock.nowMs()
        await repository.insert({
          id: input.id,
          label: input.label,
          location: input.location ?? null,
          ...(await addressesOf(input, input.id)),
          isMaintenance: false,
          isMarkedOffline: false,
          secretHash: null,
          previousSecretHash: null,
          previousSecretUntilMs: null,
          desiredVersion: await repository.retiredVersion(input.id),
          version: 1,
          createdAtMs: nowMs,
          updatedAtMs: nowMs,
        })
        await journal.append({ action: 'station.created', actor, stationId: input.id })
        await desired.change(input.id, ['station.created'])
        tellChanged(input.id)
      })
    },

    replace(
      id: string,
      input: Omit<StationInput, 'id'>,
      actor: Actor,
      expectedVersion?: SeenVersions,
    ): Promise<void> {
      return database.write(async () => {
        const before = await get(id)
        requireVersion(before, expectedVersion)
        await repository.update(id, {
          label: input.label,
          location: input.location ?? null,
          ...(await addressesOf(input, id)),
          version: before.version + 1,
          updatedAtMs: clock.nowMs(),
        })
        // The station shows its label to the visitors.
        if (before.label !== input.label) await desired.change(id, ['station.updated'])
        await journal.append({ action: 'station.updated', actor, stationId: id })
        tellChanged(id)
      })
    },

    remove(id: string, actor: Actor, expectedVersion?: SeenVersions): Promise<void> {
      return database.write(async () => {
        requireVersion(await get(id), expectedVersion)
        await sessions.endAtLostStation(id, actor)
        await calls.endWithStation(id, actor)
        const { desiredVersion } = await get(id)
        await repository.retire(id, desiredVersion)
        await journal.append({ action: 'station.deleted', actor, stationId: id })
        database.afterCommit(() => {
          presences.forget(id)
          machines.forget(id)
          // The document that locks it is on its way: cut off before, it would stay open to the visitor.
          void bus.clearRetained(id).then(() => {
            bus.disconnectStation(id)
            // Once more, for what it answered to that.
            return bus.clearRetained(id)
          })
          events.emit({ type: 'stationRemoved', stationId: id })
        })
      })
    },

    mark,
  }
}

function invalidField(field: string, message: Bilingual): AppError {
  return new AppError('invalid-body', { errors: [{ pointer: `/${field}`, message }] })
}

function duplicateField(field: string, holder: string): AppError {
  const detail = {
    fr: `Cette valeur est déjà celle du poste «\u202f${holder}\u202f».`,
    en: `This value already belongs to station “${holder}”.`,
  }
  return new AppError('duplicate', { detail, errors: [{ pointer: `/${field}`, message: detail }] })
}
