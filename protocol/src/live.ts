import { Type, type Static, type TSchema } from 'typebox'
import { EntityId, Instant, Seconds, StationId, oneOf } from './schema.ts'
import { StaffCall } from './calls.ts'
import { StationCommand } from './commands.ts'
import { Log } from './logs.ts'
import { SessionTime, endReasons } from './sessions.ts'
import { Station } from './stations.ts'

/** WebSocket subprotocol; the token travels as a second one, `bearer.<token>`. */
export const LIVE_SUBPROTOCOL = 'escale.v1'
export const BEARER_SUBPROTOCOL_PREFIX = 'bearer.'

/** Escale's own close codes. */
export const LIVE_CLOSE = { unauthenticated: 4401, unknownSession: 4404, tooMany: 4429 } as const

const frame = <const T extends string, const P extends Record<string, TSchema>>(type: T, properties: P) =>
  Type.Object({ type: Type.Literal(type), ...properties })

export const clientFrames = {
  authenticate: frame('authenticate', { token: Type.String({ maxLength: 4_000 }) }),
  heartbeat: frame('heartbeat', {}),
  validate_code: frame('validate_code', {
    code: Type.String({ minLength: 1, maxLength: 64 }),
    stationId: Type.Optional(StationId),
  }),
  start_session: frame('start_session', { sessionId: EntityId, stationId: Type.Optional(StationId) }),
  get_time: frame('get_time', { sessionId: EntityId }),
} as const

export type ClientFrame = {
  [K in keyof typeof clientFrames]: Static<(typeof clientFrames)[K]>
}[keyof typeof clientFrames]

const timeFields = SessionTime.properties

export const serverFrames = {
  connection_established: frame('connection_established', { sentAt: Instant }),
  heartbeat: frame('heartbeat', { sentAt: Instant }),
  time_update: frame('time_update', timeFields),
  session_started: frame('session_started', timeFields),
  session_terminated: frame('session_terminated', { ...timeFields, endReason: oneOf(endReasons) }),
  time_added: frame('time_added', { ...timeFields, addedSeconds: Type.Integer() }),
  warning: frame('warning', { sessionId: EntityId, remainingSeconds: Seconds }),
  code_validated: frame('code_validated', {
    sessionId: EntityId,
    displayName: Type.String(),
    grantedSeconds: Seconds,
  }),
  error: frame('error', { code: Type.String(), message: Type.String() }),
  station_changed: frame('station_changed', { station: Station }),
  station_removed: frame('station_removed', { stationId: StationId }),
  command_changed: frame('command_changed', { command: StationCommand }),
  call_changed: frame('call_changed', { call: StaffCall }),
  log_added: frame('log_added', { log: Log }),
} as const

export type ServerFrame = {
  [K in keyof typeof serverFrames]: Static<(typeof serverFrames)[K]>
}[keyof typeof serverFrames]
