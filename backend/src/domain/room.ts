import { createRoomStations } from './room-stations.ts'
import type { SessionRecord } from './session-record.ts'
import {
  changedStation,
  isUrgentChange,
  unknownPresence,
  type DocumentProgress,
  type StationPresence,
  type StationRecord,
} from './station.ts'
import { createUnendedSessions } from './unended-sessions.ts'

export type Room = ReturnType<typeof createRoom>

/** @param isUrgent whether more has changed than the metrics, which change with every heartbeat */
export type OnStationChange = (stationId: string, isUrgent: boolean) => void

/**
 * The room in memory: all stations with their presence, and all sessions that have not ended. Call its methods with
 * committed data only. `onChange` is called for each station that has changed.
 */
export function createRoom(onChange: OnStationChange = () => undefined) {
  const stations = createRoomStations()
  const sessions = createUnendedSessions()
  const { station } = stations.reads
  const { runningAt } = sessions.reads
  const reported = new Map<string, { version: number; atMs: number }>()

  function change(stationId: string, what: Parameters<typeof changedStation>[1]): void {
    const before = station(stationId)
    if (!before) return
    const after = changedStation(before, what)
    stations.put(after)
    onChange(stationId, isUrgentChange(before, after))
  }

  function showRunning(stationId: string | undefined): void {
    if (stationId === undefined) return
    const running = runningAt(stationId)
    if (station(stationId)?.running !== running) change(stationId, { running })
  }

  return {
    ...stations.reads,
    ...sessions.reads,

    putStation(record: StationRecord): void {
      const { id } = record
      if (station(id)) {
        change(id, { record })
        return
      }
      const neverSeen = { presence: unknownPresence, document: undefined, conflictAtMs: undefined }
      stations.put(changedStation({ record, running: runningAt(id), ...neverSeen }, {}))
      onChange(id, true)
    },

    removeStation(id: string): void {
      stations.remove(id)
      reported.delete(id)
    },

    /** Changes a station's presence. An unknown station is ignored. */
    changePresence(stationId: string, changed: Partial<StationPresence>): void {
      const before = station(stationId)
      if (before) change(stationId, { presence: { ...before.presence, ...changed } })
    },

    /** A new document was committed for a station. */
    putDocument(stationId: string, { version, actions, askedAtMs }: DocumentProgress): void {
      const before = station(stationId)
      if (!before) return
      const seen = reported.get(stationId)
      const applied = seen && seen.version >= version ? { appliedAtMs: seen.atMs } : {}
      const record = { ...before.record, desiredVersion: version }
      change(stationId, { record, document: { version, actions, askedAtMs, ...applied } })
    },

    /** A station reported which document it has applied. */
    noteReported(stationId: string, version: number, atMs: number): void {
      const known = station(stationId)
      if (!known) return
      reported.set(stationId, { version, atMs })
      const { document } = known
      if (document && document.appliedAtMs === undefined && version >= document.version)
        change(stationId, { document: { ...document, appliedAtMs: atMs } })
    },

    /** @param conflictAtMs since when two machines claim to be the station; undefined when only one is left */
    setConflict: (stationId: string, conflictAtMs: number | undefined): void =>
      change(stationId, { conflictAtMs }),

    /** Adds or replaces a committed session. An ended session leaves the room. */
    putSession(session: SessionRecord): void {
      const before = sessions.put(session)
      if (before?.stationId !== session.stationId) showRunning(before?.stationId)
      showRunning(session.stationId)
    },
  }
}
