import { Type, type Static } from 'typebox'
import {
  EntityId,
  Instant,
  Percent,
  Seconds,
  StationId,
  closed,
  listQuery,
  oneOf,
  replacementOf,
} from './schema.ts'
import { lineOrNothing } from './text.ts'

export const sessionStates = ['pending', 'active', 'suspended', 'ended'] as const
export type SessionState = (typeof sessionStates)[number]

export const endReasons = [
  'expired',
  'terminated',
  'logged_out',
  'code_expired',
  'suspended_too_long',
  'station_lost',
] as const
export type EndReason = (typeof endReasons)[number]

const sessionFields = {
  id: EntityId,
  userId: Type.Optional(EntityId),
  stationId: Type.Optional(StationId),
  state: oneOf(sessionStates),
  grantedSeconds: Seconds,
  elapsedSeconds: Seconds,
  remainingSeconds: Seconds,
  percentUsed: Percent,
  creditSeconds: Seconds,
  codeExpiresAt: Type.Optional(Instant),
  startedAt: Type.Optional(Instant),
  endsAt: Type.Optional(Instant),
  suspendedAt: Type.Optional(Instant),
  endedAt: Type.Optional(Instant),
  endReason: Type.Optional(oneOf(endReasons)),
  createdBy: Type.String(),
  /** An operator allowed it to run on after the site has closed. */
  mayOutliveClosing: Type.Boolean(),
  createdAt: Instant,
  updatedAt: Instant,
}

/** Time granted to a user on a station. */
export const Session = closed(sessionFields)
export type Session = Static<typeof Session>

/** The answer when a session is created: the access code is shown only here. */
export const CreatedSession = closed({ ...sessionFields, accessCode: Type.String() })
export type CreatedSession = Static<typeof CreatedSession>

export const SessionInput = closed({
  userId: Type.Optional(EntityId),
  stationId: Type.Optional(StationId),
  minutes: Type.Integer({ minimum: 1, maximum: 1440 }),
  mayOutliveClosing: Type.Optional(Type.Boolean()),
})
export type SessionInput = Static<typeof SessionInput>

export const SessionReplacement = replacementOf(SessionInput, CreatedSession)

export const SessionQuery = closed({
  ...listQuery,
  state: Type.Optional(oneOf(sessionStates)),
  mayOutliveClosing: Type.Optional(Type.Boolean()),
  userId: Type.Optional(EntityId),
  stationId: Type.Optional(StationId),
  endReason: Type.Optional(oneOf(endReasons)),
  hasCredit: Type.Optional(Type.Boolean()),
  createdBy: Type.Optional(Type.String({ maxLength: 100 })),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
})
export type SessionQuery = Static<typeof SessionQuery>

export const SessionStats = closed({
  total: Seconds,
  pending: Seconds,
  active: Seconds,
  suspended: Seconds,
  ended: Seconds,
  createdToday: Seconds,
  grantedSecondsToday: Seconds,
  averageElapsedSeconds: Seconds,
})

/** Minutes to add, or to remove when negative; at most all that is left is removed. */
export const AddTimeInput = closed({
  minutes: Type.Integer({ minimum: -1440, maximum: 1440, not: { const: 0 } }),
})

/** Where a session's credit goes; by default to the visitor's running session, else to their next one. */
export const GiveCreditInput = closed({ toSessionId: Type.Optional(EntityId) })

export const ReasonInput = closed({ reason: Type.Optional(lineOrNothing(500)) })

export const ValidateCodeInput = closed({
  code: Type.String({ minLength: 1, maxLength: 64 }),
  stationId: Type.Optional(StationId),
})

/** The session that a correct code belongs to. */
export const ValidatedCode = Type.Object({
  sessionId: EntityId,
  displayName: Type.String(),
  grantedSeconds: Seconds,
  /** Set when the site closes before the session's time is used up: it ends then. */
  closesAt: Type.Optional(Instant),
})
export type ValidatedCode = Static<typeof ValidatedCode>

export const StartInput = closed({ stationId: Type.Optional(StationId) })

/** A session's time as of `sentAt`. Elapsed is rounded down; remaining = granted - elapsed. */
export const SessionTime = Type.Object({
  sessionId: EntityId,
  stationId: Type.Optional(StationId),
  state: oneOf(sessionStates),
  grantedSeconds: Seconds,
  remainingSeconds: Seconds,
  elapsedSeconds: Seconds,
  percentUsed: Percent,
  endsAt: Type.Optional(Instant),
  sentAt: Instant,
})
export type SessionTime = Static<typeof SessionTime>
