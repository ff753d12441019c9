import type {
  DesiredState,
  LogAction,
  Presence,
  ReportedState,
  SessionState,
  StationMetrics,
  StationState,
} from '@escale/protocol'
import { searchTextOf } from './search-text.ts'
import type { SessionRecord } from './session-record.ts'

/** What operators and enrolment decide about a station. It is written to the database first. */
export interface StationRecord {
  id: string
  label: string
  location: string | null
  ipAddress: string | null
  macAddress: string | null
  isMaintenance: boolean
  /** An operator marked it offline; the mark goes when the station sends something. */
  isMarkedOffline: boolean
  secretHash: string | null
  previousSecretHash: string | null
  previousSecretUntilMs: number | null
  desiredVersion: number
  version: number
  createdAtMs: number
  updatedAtMs: number
}

/** What is known from a station's connection. It is saved within a second; a change of `online` is saved before it counts. */
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
  /** The presence that the station announced last. */
  presence: Presence | null
}

/** The newest desired document of a station: its reason, when it was committed, and when the station reported it. */
export interface DocumentProgress {
  version: number
  actions: readonly LogAction[]
  askedAtMs: number
  appliedAtMs?: number
}

/** All that is known about a station at one moment. The object is immutable: each change makes a new one. */
export interface RoomStation {
  readonly record: Readonly<StationRecord>
  readonly searchText: string
  readonly presence: Readonly<StationPresence>
  /** The session that is active or suspended there. */
  readonly running: SessionRecord | undefined
  readonly state: StationState
  /** Unknown after a restart of the server. */
  readonly document: DocumentProgress | undefined
  /** Since when two machines claim to be this station. */
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

/** The text in which a search for stations looks. It begins with the label, so it is also the sort key. */
const searchTextOfStation = ({ label, location, id, ipAddress, macAddress }: StationRecord): string =>
  searchTextOf([label, location, id, ipAddress, macAddress])

/** The station after a change, with its state computed again. */
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
    state: stateOf(record, presence, running !== undefined),
    document,
    conflictAtMs,
  }
}

/** The state that operators see: the first rule that applies. Source: docs/contract.md, Rules */
function stateOf(record: StationRecord, presence: StationPresence, isRunning: boolean): StationState {
  const isCleaning = presence.online && presence.reportedState === 'cleaning'
  if (record.isMaintenance) return 'maintenance'
  if (isRunning || isCleaning) return 'occupied'
  if (record.isMarkedOffline || !presence.online) return 'offline'
  return 'available'
}

/** The state that a station should have. */
export function desiredStateOf(isMaintenance: boolean, runningState: SessionState | undefined): DesiredState {
  if (runningState === 'active' || runningState === 'suspended') return runningState
  return isMaintenance ? 'maintenance' : 'locked'
}

/** Whether more has changed than the metrics, which change with every heartbeat. Such a change is shown at once. */
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
