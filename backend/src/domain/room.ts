import type { StationStats } from '@escale/protocol'
import { compareValues } from './selection.ts'
import { isRunning, type SessionRecord } from './session-record.ts'
import {
  changedStation,
  isUrgentChange,
  unknownPresence,
  type DocumentProgress,
  type RoomStation,
  type StationPresence,
  type StationRecord,
} from './station.ts'

export type Room = ReturnType<typeof createRoom>

/** @param isUrgent whether more has changed than figures that move with every heartbeat */
export type OnStationChange = (stationId: string, isUrgent: boolean) => void

/**
 * The room in memory: every station with its presence, and every session that has not ended. It is changed in place by
 * its transitions, each with what has been committed; `onChange` hears of each station that looks different now.
 */
export function createRoom(onChange: OnStationChange = () => undefined) {
  const stations = new Map<string, RoomStation>()
  const stationIdByMac = new Map<string, string>()
  const sessions = new Map<string, SessionRecord>()
  const runningAt = new Map<string, SessionRecord>()
  const runningOf = new Map<string, SessionRecord>()
  const reported = new Map<string, { version: number; atMs: number }>()
  /** In the order of their labels, made again once one has another label. */
  let sorted: { stations: RoomStation[]; places: Map<string, number> } | undefined

  function change(stationId: string, what: Parameters<typeof changedStation>[1]): void {
    const before = stations.get(stationId)
    if (!before) return
    const after = changedStation(before, what)
    stations.set(stationId, after)
    const place = sorted?.places.get(stationId)
    if (before.searchText !== after.searchText) sorted = undefined
    else if (sorted && place !== undefined) sorted.stations[place] = after
    onChange(stationId, isUrgentChange(before, after))
  }

  function putStation(record: StationRecord): void {
    const { id, macAddress } = record
    const before = stations.get(id)
    if (before?.record.macAddress && stationIdByMac.get(before.record.macAddress) === id)
      stationIdByMac.delete(before.record.macAddress)
    if (macAddress !== null) stationIdByMac.set(macAddress, id)
    if (before) {
      change(id, { record })
      return
    }
    const unheard = { presence: unknownPresence, document: undefined, conflictAtMs: undefined }
    stations.set(id, changedStation({ record, running: runningAt.get(id), ...unheard }, {}))
    sorted = undefined
    onChange(id, true)
  }

  function removeStation(id: string): void {
    const before = stations.get(id)
    if (!before) return
    const { macAddress } = before.record
    if (macAddress !== null && stationIdByMac.get(macAddress) === id) stationIdByMac.delete(macAddress)
    stations.delete(id)
    reported.delete(id)
    sorted = undefined
  }

  /** Takes a session out of every index; its station is free, unless another session has it already. */
  function leave({ id }: Pick<SessionRecord, 'id'>): SessionRecord | undefined {
    const before = sessions.get(id)
    if (!before) return undefined
    sessions.delete(id)
    const { stationId, userId } = before
    if (stationId !== undefined && runningAt.get(stationId)?.id === id) runningAt.delete(stationId)
    if (userId !== undefined && runningOf.get(userId)?.id === id) runningOf.delete(userId)
    return before
  }

  function showRunning(stationId: string | undefined): void {
    if (stationId === undefined) return
    const running = runningAt.get(stationId)
    if (stations.get(stationId)?.running !== running) change(stationId, { running })
  }

  function removeSession(id: string): void {
    showRunning(leave({ id })?.stationId)
  }

  return {
    station: (id: string): RoomStation | undefined => stations.get(id),
    stations: (): IterableIterator<RoomStation> => stations.values(),
    stationByMac: (macAddress: string): RoomStation | undefined =>
      stations.get(stationIdByMac.get(macAddress) ?? ''),

    /** All stations in the order of their labels, accents and case aside. */
    sortedStations(): readonly RoomStation[] {
      if (!sorted) {
        const inOrder = [...stations.values()].sort(byLabel)
        sorted = {
          stations: inOrder,
          places: new Map(inOrder.map(({ record }, place) => [record.id, place])),
        }
      }
      return sorted.stations
    },

    stationStats(): StationStats {
      const counts = { available: 0, occupied: 0, maintenance: 0, offline: 0 }
      let online = 0
      for (const { state, presence } of stations.values()) {
        counts[state] += 1
        if (presence.online) online += 1
      }
      return { total: stations.size, ...counts, online }
    },

    /** A session that has not ended. */
    session: (id: string): SessionRecord | undefined => sessions.get(id),
    /** All sessions that have not ended. */
    sessions: (): IterableIterator<SessionRecord> => sessions.values(),
    /** The session that is active or suspended at a station. */
    runningAt: (stationId: string): SessionRecord | undefined => runningAt.get(stationId),
    /** The session of a user that is active or suspended. */
    runningOf: (userId: string): SessionRecord | undefined => runningOf.get(userId),
    running: (): SessionRecord[] => [...sessions.values()].filter(isRunning),
    pending: (): SessionRecord[] => [...sessions.values()].filter(({ state }) => state === 'pending'),

    putStation,
    removeStation,

    /** Notes what has changed of a station's connection; a station that is not known has none. */
    changePresence(stationId: string, changed: Partial<StationPresence>): void {
      const before = stations.get(stationId)
      if (before) change(stationId, { presence: { ...before.presence, ...changed } })
    },

    /** A new document was committed for a station. */
    putDocument(stationId: string, { version, actions, askedAtMs }: DocumentProgress): void {
      const before = stations.get(stationId)
      if (!before) return
      const seen = reported.get(stationId)
      const applied = seen && seen.version >= version ? { appliedAtMs: seen.atMs } : {}
      const record = { ...before.record, desiredVersion: version }
      change(stationId, { record, document: { version, actions, askedAtMs, ...applied } })
    },

    /** A station told which document it has applied. */
    noteReported(stationId: string, version: number, atMs: number): void {
      const document = stations.get(stationId)?.document
      if (stations.has(stationId)) reported.set(stationId, { version, atMs })
      if (document && document.appliedAtMs === undefined && version >= document.version)
        change(stationId, { document: { ...document, appliedAtMs: atMs } })
    },

    /** @param conflictAtMs since when two machines are at odds over a station; undefined once it is one again */
    setConflict: (stationId: string, conflictAtMs: number | undefined): void =>
      change(stationId, { conflictAtMs }),

    /** Takes a session as committed; one that has ended is not part of the room any more. */
    putSession(session: SessionRecord): void {
      const before = leave(session)
      const { id, stationId, userId, state } = session
      if (state !== 'ended') sessions.set(id, session)
      if (isRunning(session)) {
        if (stationId !== undefined) runningAt.set(stationId, session)
        if (userId !== undefined) runningOf.set(userId, session)
      }
      if (before?.stationId !== stationId) showRunning(before?.stationId)
      showRunning(stationId)
    },

    removeSession,
  }
}

const byLabel = (a: RoomStation, b: RoomStation): number =>
  compareValues(a.searchText, b.searchText) || compareValues(a.record.id, b.record.id)
