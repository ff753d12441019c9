import { Type, type Static } from 'typebox'
import { logActions } from './logs.ts'
import { Heartbeat } from './mqtt/payloads.ts'
import { EntityId, Instant, Seconds, StationId, closed, listQuery, oneOf, replacementOf } from './schema.ts'
import { line } from './text.ts'

export const stationStates = ['available', 'occupied', 'maintenance', 'offline'] as const
export type StationState = (typeof stationStates)[number]

/** The measurements of a heartbeat. */
export const StationMetrics = Type.Pick(Heartbeat, [
  'uptimeSeconds',
  'cpuPercent',
  'memoryPercent',
  'diskPercent',
  'temperatureC',
])
export type StationMetrics = Static<typeof StationMetrics>

const writableFields = {
  label: line(100),
  location: Type.Optional(line(100)),
  ipAddress: Type.Optional(line(64)),
  macAddress: Type.Optional(line(64)),
}

/** A public computer. `state` is derived: maintenance, occupied, offline, available, in that order. */
export const Station = closed({
  id: StationId,
  ...writableFields,
  lastSeenIp: Type.Optional(Type.String()),
  state: oneOf(stationStates),
  online: Type.Boolean(),
  lastHeartbeatAt: Type.Optional(Instant),
  agentVersion: Type.Optional(Type.String()),
  os: Type.Optional(Type.String()),
  metrics: Type.Optional(StationMetrics),
  activeSessionId: Type.Optional(EntityId),
  /** Since when two machines have connected as this station. */
  conflictAt: Type.Optional(Instant),
  /** The newest document sent to the station, why it was sent, and when the station reported that it applies it. */
  document: Type.Optional(
    closed({
      version: Type.Integer({ minimum: 0 }),
      actions: Type.Array(oneOf(logActions)),
      askedAt: Instant,
      appliedAt: Type.Optional(Instant),
    }),
  ),
  createdAt: Instant,
  updatedAt: Instant,
})
export type Station = Static<typeof Station>

export const StationInput = closed({ id: StationId, ...writableFields })
export type StationInput = Static<typeof StationInput>

export const StationReplacement = replacementOf(closed(writableFields), Station)

/** A heartbeat by REST: any of its fields, none required. */
export const HeartbeatInput = closed(Type.Partial(Heartbeat).properties)

const stationFilters = {
  ...listQuery,
  label: Type.Optional(Type.String({ maxLength: 100 })),
  online: Type.Optional(Type.Boolean()),
  location: Type.Optional(Type.String({ maxLength: 100 })),
  ipAddress: Type.Optional(Type.String({ maxLength: 64 })),
  macAddress: Type.Optional(Type.String({ maxLength: 64 })),
  lastSeenIp: Type.Optional(Type.String({ maxLength: 64 })),
  agentVersion: Type.Optional(Type.String({ maxLength: 50 })),
  os: Type.Optional(Type.String({ maxLength: 100 })),
}

export const StationQuery = closed({ ...stationFilters, state: Type.Optional(oneOf(stationStates)) })
export type StationQuery = Static<typeof StationQuery>

/** For lists of stations that all have the same state. */
export const FreeStationQuery = closed(stationFilters)

export const StationStats = closed({
  total: Seconds,
  available: Seconds,
  occupied: Seconds,
  maintenance: Seconds,
  offline: Seconds,
  online: Seconds,
})
export type StationStats = Static<typeof StationStats>
