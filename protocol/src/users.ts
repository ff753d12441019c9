import { Type, type Static } from 'typebox'
import {
  CalendarDate,
  EntityId,
  Instant,
  Seconds,
  closed,
  listQuery,
  oneOf,
  replacementOf,
} from './schema.ts'
import { line, lines } from './text.ts'

export const sexes = ['female', 'male', 'other'] as const

const writableFields = {
  firstName: line(100),
  lastName: line(100),
  email: Type.Optional(Type.String({ format: 'email', maxLength: 254 })),
  /** Stored with plain blanks and hyphens. */
  phone: Type.Optional(Type.String({ minLength: 3, maxLength: 30, format: 'phone' })),
  birthDate: Type.Optional(CalendarDate),
  sex: Type.Optional(oneOf(sexes)),
  municipality: Type.Optional(line(100)),
  occupation: Type.Optional(line(100)),
  notes: Type.Optional(lines(2_000)),
  consentGiven: Type.Boolean(),
}

/** A visitor. */
export const User = closed({
  id: EntityId,
  ...writableFields,
  consentAt: Type.Optional(Instant),
  consentVersion: Type.Optional(Type.String()),
  consentRevokedAt: Type.Optional(Instant),
  hasPhoto: Type.Boolean(),
  createdAt: Instant,
  updatedAt: Instant,
})
export type User = Static<typeof User>

export const UserInput = closed({ ...writableFields, consentGiven: Type.Optional(Type.Boolean()) })
export type UserInput = Static<typeof UserInput>

export const UserReplacement = replacementOf(UserInput, User)

export const UserQuery = closed({
  ...listQuery,
  firstName: Type.Optional(Type.String({ maxLength: 100 })),
  lastName: Type.Optional(Type.String({ maxLength: 100 })),
  email: Type.Optional(Type.String({ maxLength: 254 })),
  phone: Type.Optional(Type.String({ maxLength: 30 })),
  birthDate: Type.Optional(CalendarDate),
  municipality: Type.Optional(Type.String({ maxLength: 100 })),
  occupation: Type.Optional(Type.String({ maxLength: 100 })),
  sex: Type.Optional(oneOf(sexes)),
  consentGiven: Type.Optional(Type.Boolean()),
  /** Users with a session that has not ended. */
  hasOpenSession: Type.Optional(Type.Boolean()),
})
export type UserQuery = Static<typeof UserQuery>

export const UserStats = closed({
  total: Seconds,
  withConsent: Seconds,
  createdToday: Seconds,
  withSessionToday: Seconds,
})
export type UserStats = Static<typeof UserStats>

export const cannotCreateReasons = ['consent-missing', 'quota-reached', 'session-active'] as const

/** Whether a user may have a new session now, and otherwise all reasons why not. */
export const CanCreateSession = closed({
  allowed: Type.Boolean(),
  reasons: Type.Array(oneOf(cannotCreateReasons)),
  sessionsToday: Seconds,
  quota: Seconds,
})
export type CanCreateSession = Static<typeof CanCreateSession>

/** What remains of an erased user, counted afterwards; all numbers but the last are 0. */
export const ErasureProof = closed({
  erasedAt: Instant,
  /** Sessions that are kept for the statistics, without the user. */
  anonymisedSessions: Seconds,
  /**
   * Whether the data is gone from the database files too. False while another program, such as a backup, reads them: the
   * server tries again. Always false on PostgreSQL, whose administrator looks after its log and backups.
   */
  isFileClean: Type.Boolean(),
  left: closed({
    users: Seconds,
    sessions: Seconds,
    photos: Seconds,
    /** Commands to stations and open calls for help whose text names the person. */
    commands: Seconds,
    calls: Seconds,
    /** Journal records whose details say something about the person. */
    logsNaming: Seconds,
    /** Journal records with only the former id, which leads to nobody. */
    logsWithIdOnly: Seconds,
  }),
})
export type ErasureProof = Static<typeof ErasureProof>
