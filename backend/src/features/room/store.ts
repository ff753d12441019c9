import { createRoom, type Room } from '../../domain/room.ts'
import type { SessionRecord } from '../../domain/session-record.ts'
import type { StationPresence, StationRecord } from '../../domain/station.ts'
import type { Clock } from '../../clock.ts'
import type { AppEvents, EventOrigin } from '../../events.ts'
import type { RoomRepository } from './repository.ts'

/** A query takes no more ids than this. */
const READ_AT_ONCE = 500

export interface RoomStore extends Room {
  /** Fills the room; stations that were online get a whole deadline to be heard again. */
  load(): Promise<void>
  /** Takes over what the database has of stations, all by default: other servers may have changed it. */
  reload(stationIds?: readonly string[]): Promise<void>
  /** Sessions that the database has otherwise, as it has them; one that is gone there was cancelled. */
  missedSessions(): Promise<SessionRecord[]>
  /** Stations that have told this server something that is not in the database yet. */
  readonly unsaved: Set<string>
}

/**
 * The room, filled from the database and changed by what is committed here and told by other servers. Made before
 * anything else subscribes to events: whoever hears one finds the room changed already.
 */
export function createRoomStore(ports: {
  repository: RoomRepository
  events: AppEvents
  clock: Clock
}): RoomStore {
  const { repository, events, clock } = ports
  const unsaved = new Set<string>()
  const changed = new Map<string, { isUrgent: boolean; origin: EventOrigin }>()
  /** Stations that changed while the database is being read: what is read of them may be older. */
  let touched: Set<string> | undefined
  let origin: EventOrigin = 'here'
  let reading: Promise<void> = Promise.resolve()
  const room = createRoom(noteChange)

  /** One change of a station is told once, however many transitions it took. */
  function noteChange(stationId: string, isUrgent: boolean): void {
    touched?.add(stationId)
    if (changed.size === 0) queueMicrotask(tellChanges)
    const before = changed.get(stationId)
    changed.set(stationId, {
      isUrgent: isUrgent || before?.isUrgent === true,
      origin: before?.origin === 'here' ? 'here' : origin,
    })
  }

  function tellChanges(): void {
    const told = [...changed]
    changed.clear()
    for (const [stationId, { isUrgent, origin }] of told) {
      if (room.station(stationId)) events.emit({ type: 'stationChanged', stationId, isUrgent }, origin)
    }
  }

  /** Changes what is made in `work` as news of `from`. */
  function as(from: EventOrigin, work: () => void): void {
    origin = from
    try {
      work()
    } finally {
      origin = 'here'
    }
  }

  events.subscribe((event, from) => {
    as(from, () => {
      switch (event.type) {
        case 'sessionChanged':
          room.putSession(event.session)
          return
        case 'stationRemoved':
          room.removeStation(event.stationId)
          unsaved.delete(event.stationId)
          return
        case 'desiredChanged':
          room.putDocument(event.stationId, event)
          return
        case 'desiredReported':
          room.noteReported(event.stationId, event.version, event.atMs)
      }
    })
  })

  /** Another server may have heard the station since, or have said that it came or went. */
  function mergePresence(stationId: string, saved: StationPresence): void {
    const known = room.station(stationId)?.presence
    if (!known) return
    const [savedMs, knownMs] = [saved.lastHeardAtMs ?? 0, known.lastHeardAtMs ?? 0]
    const isNewer = savedMs > knownMs || !unsaved.has(stationId)
    // A start gives stations a whole deadline, which holds.
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

  /** @returns the stations that changed here meanwhile, to be read again */
  async function readOnce(ids: readonly string[] | undefined): Promise<string[]> {
    const meanwhile = (touched = new Set<string>())
    try {
      const records = await repository.stations(ids)
      const presences = await repository.presences(ids)
      touched = undefined
      as('peer', () => take(ids, records, presences, (id) => meanwhile.has(id)))
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

  async function missedSessions(): Promise<SessionRecord[]> {
    const known = new Map([...room.sessions()].map((session) => [session.id, session]))
    const saved = await repository.unendedSessions()
    const missed = saved.filter(({ id, version }) => version !== known.get(id)?.version)
    for (const { id } of saved) known.delete(id)
    const ended = await repository.sessions([...known.keys()])
    const cancelled = { state: 'ended', endReason: 'terminated', endedAtMs: clock.nowMs() } as const
    return [
      ...missed,
      ...[...known.values()].map((session) => ended.get(session.id) ?? { ...session, ...cancelled }),
    ]
  }

  return {
    ...room,
    unsaved,
    missedSessions,
    async load() {
      const records = await repository.stations()
      const presences = await repository.presences()
      const nowMs = clock.nowMs()
      for (const record of records) room.putStation(record)
      for (const [stationId, presence] of presences)
        room.changePresence(stationId, presence.online ? { ...presence, lastHeardAtMs: nowMs } : presence)
      for (const session of await repository.unendedSessions()) room.putSession(session)
      // Nobody has seen anything else.
      changed.clear()
    },
    reload(ids) {
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
