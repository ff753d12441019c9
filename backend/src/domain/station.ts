import type { LogAction, Presence, ReportedState, StationMetrics, StationState } from '@escale/protocol'
import { searchTextOf } from './search-text.ts'
import type { SessionRecord } from './session-record.ts'
import { stationStateOf } from './station-state.ts'

/** What operators and enrolment decide of a station; the database has it first. */
export interface StationRecord {
  id: string
  label: string
  location: string | null
  ipAddress: string | null
  macAddress: string | null
  isMaintenance: boolean
  isMarkedOffline: boolean
  secretHash: string | null
  previousSecretHash: string | null
  previousSecretUntilMs: number | null
  desiredVersion: number
  version: number
  createdAtMs: number
  updatedAtMs: number
}

/** What a station's connection tells of it; saved within a second, `online` before it is believed. */
export interface StationPresence {
  online: boolean
  lastHeardAtMs: number | null
  lastHeartbeatAtMs: number | null
  lastSeenIp: string | null
  bootId: string | null
  connectionSeq: number | null
  agentVersion: string | null
  os: string | null
  reportedState: ReportedState | null
  reportedVersion: number | null
  metrics: StationMetrics | null
  /** The last one that it announced. */
  presence: Presence | null
}

/** The newest document of a station: what it is for, when it was committed, when the station reported it. */
export interface DocumentProgress {
  version: number
  actions: readonly LogAction[]
  askedAtMs: number
  appliedAtMs?: number
}

/** All that is known of a station at one moment; a change makes another one, so it may be kept and compared. */
export interface RoomStation {
  readonly record: Readonly<StationRecord>
  readonly searchText: string
  readonly presence: Readonly<StationPresence>
  /** The session that is active or suspended there. */
  readonly running: SessionRecord | undefined
  readonly state: StationState
  /** Unknown after a restart of the server. */
  readonly document: DocumentProgress | undefined
  /** Since when two machines are at odds over the station. */
  readonly conflictAtMs: number | undefined
}

export const unknownPresence: Readonly<StationPresence> = {
  online: false,
  lastHeardAtMs: null,
  lastHeartbeatAtMs: null,
  lastSeenIp: null,
  bootId: null,
  connectionSeq: null,
  agentVersion: null,
  os: null,
  reportedState: null,
  reportedVersion: null,
  metrics: null,
  presence: null,
}

/** What a search for stations looks in; sorted by it, they stand in the order of their labels. */
export function searchTextOfStation({
  label,
  location,
  id,
  ipAddress,
  macAddress,
}: Pick<StationRecord, 'label' | 'location' | 'id' | 'ipAddress' | 'macAddress'>): string {
  return searchTextOf([label, location, id, ipAddress, macAddress])
}

/** The station with what has changed of it, its state derived anew. */
export function changedStation(
  before: Omit<RoomStation, 'state' | 'searchText'> & Partial<RoomStation>,
  change: Partial<Omit<RoomStation, 'state' | 'searchText'>>,
): RoomStation {
  const { record, presence, running, document, conflictAtMs } = { ...before, ...change }
  const isSameText = before.searchText !== undefined && record === before.record
  return {
    record,
    searchText: isSameText ? (before.searchText ?? '') : searchTextOfStation(record),
    presence,
    running,
    state: stationStateOf({ ...record, ...presence, hasRunningSession: running !== undefined }),
    document,
    conflictAtMs,
  }
}

/** Whether a change is more than metrics, which move with every heartbeat: screens hear of it at once. */
export function isUrgentChange(before: RoomStation, after: RoomStation): boolean {
  return (
    before.record !== after.record ||
    before.state !== after.state ||
    before.presence.online !== after.presence.online ||
    before.running?.id !== after.running?.id ||
    before.document !== after.document ||
    before.conflictAtMs !== after.conflictAtMs
  )
}
