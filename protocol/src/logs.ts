import { Type, type Static } from 'typebox'
import { EntityId, Instant, Seconds, StationId, closed, listQuery, oneOf, pageQuery } from './schema.ts'

/** Audited actions: dotted, past tense. */
export const logActions = [
  'user.created',
  'user.updated',
  'user.deleted',
  'user.consent_revoked',
  'user.photo_changed',
  'user.exported',
  'station.created',
  'station.updated',
  'station.deleted',
  'station.online',
  'station.offline',
  'station.enrolled',
  'station.secret_revoked',
  'station.boot_token_issued',
  'station.enrolment_requested',
  'station.enrolment_refused',
  'station.pairing_accepted',
  'station.pairing_refused',
  'station.fault_reported',
  'station.events_missed',
  'station.messages_dropped',
  'station.conflict_found',
  'station.conflict_ended',
  'station.staff_called',
  'station.call_taken',
  'station.call_closed',
  'session.created',
  'session.updated',
  'session.cancelled',
  'session.started',
  'session.time_added',
  'session.suspended',
  'session.resumed',
  'session.credit_noted',
  'session.credit_given',
  'session.terminated',
  'session.expired',
  'account.created',
  'account.updated',
  'account.secret_renewed',
  'account.deleted',
  'site_key.rotated',
  'operator.created',
  'operator.updated',
  'settings.updated',
  'throttle.lifted',
  'job.ran',
  'auth.login_succeeded',
  'auth.login_failed',
  'auth.token_reused',
  'auth.signed_out',
  'code.rejected',
  'command.sent',
  'command.applied',
  'command.failed',
  'command.expired',
] as const
export type LogAction = (typeof logActions)[number]

export const logLevels = ['info', 'warning', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export const Actor = closed({
  type: oneOf(['operator', 'station', 'account', 'system'] as const),
  id: Type.String(),
  label: Type.String(),
})
export type Actor = Static<typeof Actor>

/** One audit record, with ids but without names and codes; chained by hash. */
export const Log = closed({
  id: Type.Integer({ minimum: 1 }),
  at: Instant,
  action: oneOf(logActions),
  level: oneOf(logLevels),
  actor: Actor,
  stationId: Type.Optional(Type.String()),
  sessionId: Type.Optional(Type.String()),
  userId: Type.Optional(Type.String()),
  ip: Type.Optional(Type.String()),
  details: Type.Record(Type.String(), Type.Unknown()),
  prevHash: Type.String(),
  hash: Type.String(),
})
export type Log = Static<typeof Log>

const logFilters = {
  action: Type.Optional(oneOf(logActions)),
  level: Type.Optional(oneOf(logLevels)),
  actor: Type.Optional(Type.String({ maxLength: 100 })),
  stationId: Type.Optional(StationId),
  sessionId: Type.Optional(EntityId),
  userId: Type.Optional(EntityId),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
}

/** The newest record to list. `next` and `previous` carry it, so that new records do not move rows between pages. */
const upToId = Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))

/** Which page of a search in the journal. */
export const LogPageQuery = closed({ ...pageQuery, upToId })
export type LogPageQuery = Static<typeof LogPageQuery>

export const LogQuery = closed({
  ...listQuery,
  upToId,
  ...logFilters,
  ip: Type.Optional(Type.String({ maxLength: 64 })),
})
export type LogQuery = Static<typeof LogQuery>

export const LogSearchInput = closed({ text: Type.Optional(Type.String({ maxLength: 200 })), ...logFilters })
export type LogSearchInput = Static<typeof LogSearchInput>

export const LogStats = closed({
  total: Seconds,
  today: Seconds,
  byLevel: Type.Record(Type.String(), Seconds),
  byAction: Type.Record(Type.String(), Seconds),
})
export type LogStats = Static<typeof LogStats>
