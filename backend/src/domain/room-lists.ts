import { unixMsOf, type SessionQuery, type StationQuery } from '@escale/protocol'
import type { Room } from './room.ts'
import { foldText } from './search-text.ts'
import { matcherOf, selectRows, type Fields, type Selection } from './selection.ts'
import { endsAtMsOf } from './session.ts'
import type { SessionRecord } from './session-record.ts'
import type { RoomStation } from './station.ts'

type Filter<Query> = Omit<Query, 'page' | 'pageSize' | 'ordering' | 'skip'>
export type StationFilter = Filter<StationQuery>
export type SessionFilter = Filter<SessionQuery>

/** The fields by which a list of stations can be sorted. */
export const stationFields: Fields<RoomStation> = {
  id: ({ record }) => record.id,
  label: ({ searchText }) => searchText,
  location: ({ record }) => record.location,
  state: ({ state }) => state,
  online: ({ presence }) => presence.online,
  ipAddress: ({ record }) => record.ipAddress,
  macAddress: ({ record }) => record.macAddress,
  lastSeenIp: ({ presence }) => presence.lastSeenIp,
  lastHeartbeatAt: ({ presence }) => presence.lastHeartbeatAtMs,
  agentVersion: ({ presence }) => presence.agentVersion,
  os: ({ presence }) => presence.os,
  createdAt: ({ record }) => record.createdAtMs,
  updatedAt: ({ record }) => record.updatedAtMs,
}

/** The fields by which a list of sessions can be sorted. */
export const sessionFields: Fields<SessionRecord> = {
  id: ({ id }) => id,
  state: ({ state }) => state,
  createdAt: ({ createdAtMs }) => createdAtMs,
  updatedAt: ({ updatedAtMs }) => updatedAtMs,
  startedAt: ({ startedAtMs }) => startedAtMs,
  endsAt: (session) => endsAtMsOf(session),
  suspendedAt: ({ suspendedAtMs }) => suspendedAtMs,
  endedAt: ({ endedAtMs }) => endedAtMs,
  endReason: ({ endReason }) => endReason,
  codeExpiresAt: ({ codeExpiresAtMs }) => codeExpiresAtMs,
  grantedSeconds: ({ grantedSeconds }) => grantedSeconds,
  creditSeconds: ({ creditSeconds }) => creditSeconds,
  stationId: ({ stationId }) => stationId,
  userId: ({ userId }) => userId,
  createdBy: ({ createdBy }) => createdBy,
  mayOutliveClosing: ({ mayOutliveClosing }) => mayOutliveClosing,
}

const filteredStationFields: Fields<RoomStation> = { ...stationFields, label: ({ record }) => record.label }

/** A page of stations, sorted by label by default. */
export function listStations(
  room: Pick<Room, 'sortedStations'>,
  { search, ...equal }: StationFilter,
  selection: Selection,
) {
  const wanted = search ? foldText(search) : ''
  const matches = matcherOf(filteredStationFields, equal)
  const all = room.sortedStations()
  const stations =
    wanted === '' && matches === undefined
      ? all
      : all.filter(
          (station) => (matches?.(station) ?? true) && (wanted === '' || station.searchText.includes(wanted)),
        )
  return selectRows(stations, stationFields, selection)
}

/** A page of the given sessions, in their order by default. */
export function listSessions(
  sessions: readonly SessionRecord[],
  { search, from, to, hasCredit, ...equal }: SessionFilter,
  selection: Selection,
) {
  const wanted = search ? foldText(search) : ''
  const fromMs = from === undefined ? -Infinity : unixMsOf(from)
  const toMs = to === undefined ? Infinity : unixMsOf(to)
  const hasFields = matcherOf(sessionFields, equal)
  const matches = (session: SessionRecord) =>
    (hasFields?.(session) ?? true) &&
    session.createdAtMs >= fromMs &&
    session.createdAtMs <= toMs &&
    (hasCredit === undefined || hasCredit === session.creditSeconds > 0) &&
    (wanted === '' || contains(session, wanted))
  return selectRows(sessions.filter(matches), sessionFields, selection)
}

const contains = ({ id, userId, stationId, createdBy }: SessionRecord, wanted: string): boolean =>
  [id, userId, stationId, createdBy].some((text) => text?.toLowerCase().includes(wanted))
