import { randomUUID } from 'node:crypto'
import type { Actor, Bilingual, User, UserInput } from '@escale/protocol'
import { instantOf, normalisePhone } from '@escale/protocol'
import { Temporal } from 'temporal-polyfill'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { withoutNulls } from '../../db/nulls.ts'
import type { UserRow } from '../../db/rows.ts'
import { AppError } from '../../errors.ts'
import { requireVersion, type SeenVersions } from '../../db/versions.ts'
import type { Journal } from '../logs/index.ts'
import type { Settings } from '../settings/index.ts'
import type { UserRepository } from './repository.ts'

/** What users need to know of sessions. */
export interface UserSessions {
  hasRunning(userId: string): Promise<boolean>
  /** Ends what depends on consent: the running session and those that wait for their code. */
  endAllOf(userId: string, actor: Actor): Promise<void>
}

export interface UserPorts {
  database: Database
  repository: UserRepository
  sessions: UserSessions
  /** Where photos lie: the file goes with the person. */
  photos: { remove(name: string): Promise<void> }
  /** What is said of a person elsewhere, and goes with them. */
  traces: { remove(user: UserRow): Promise<string[]> }
  /** Sealed answers to requests, which may hold the person's name. */
  answers: { forget(isAbout: (answer: string) => boolean): Promise<void> }
  settings: Settings
  journal: Journal
  clock: Clock
}

/** An earlier birth date is taken for a typing error. */
const FIRST_BIRTH_DATE = '1900-01-01'
const implausibleBirthDate: Bilingual = {
  fr: 'La date de naissance doit être comprise entre le 1er janvier 1900 et aujourd’hui.',
  en: 'The birth date must be between 1 January 1900 and today.',
}

export type UserService = ReturnType<typeof createUserService>

export function createUserService({
  database,
  repository,
  sessions,
  photos,
  traces,
  answers,
  settings,
  journal,
  clock,
}: UserPorts) {
  async function get(id: string): Promise<UserRow> {
    const row = await repository.find(id)
    if (!row) throw new AppError('not-found')
    return row
  }

  const consentNow = () => ({
    consentGiven: true,
    consentAtMs: clock.nowMs(),
    consentVersion: settings.current().termsVersion,
    consentRevokedAtMs: null,
  })

  /** @throws AppError when the birth date lies before 1900 or after today */
  function requirePlausible({ birthDate }: UserInput): void {
    if (birthDate === undefined) return
    const today = Temporal.Instant.fromEpochMilliseconds(clock.nowMs())
      .toZonedDateTimeISO(settings.current().timeZone)
      .toPlainDate()
    // Days as ISO writes them compare as text.
    if (birthDate >= FIRST_BIRTH_DATE && birthDate <= today.toString()) return
    throw new AppError('invalid-body', { errors: [{ pointer: '/birthDate', message: implausibleBirthDate }] })
  }

  return {
    get,

    async create(input: UserInput, actor: Actor): Promise<UserRow> {
      requirePlausible(input)
      return database.write(async () => {
        const nowMs = clock.nowMs()
        const row: UserRow = {
          id: randomUUID(),
          ...profileOf(input),
          consentGiven: false,
          consentAtMs: null,
          consentVersion: null,
          consentRevokedAtMs: null,
          ...(input.consentGiven === true ? consentNow() : {}),
          photoName: null,
          version: 1,
          createdAtMs: nowMs,
          updatedAtMs: nowMs,
        }
        await repository.insert(row)
        await journal.append({ action: 'user.created', actor, userId: row.id })
        return row
      })
    },

    async replace(
      id: string,
      input: UserInput,
      actor: Actor,
      expectedVersion?: SeenVersions,
    ): Promise<UserRow> {
      requirePlausible(input)
      return database.write(async () => {
        const before = await get(id)
        requireVersion(before, expectedVersion)
        if (before.consentGiven && input.consentGiven === false) throw new AppError('use-revoke-consent')
        const row: UserRow = {
          ...before,
          ...profileOf(input),
          ...(input.consentGiven === true && !before.consentGiven ? consentNow() : {}),
          version: before.version + 1,
          updatedAtMs: clock.nowMs(),
        }
        await repository.update(row)
        await journal.append({ action: 'user.updated', actor, userId: id })
        return row
      })
    },

    /**
     * Erases a user and what is said of them; their sessions stay for the statistics, without a name.
     * @returns whether the database's files hold nothing of it either
     */
    async remove(id: string, actor: Actor, expectedVersion?: SeenVersions): Promise<boolean> {
      const { photoName, sessionIds } = await database.write(async () => {
        const before = await get(id)
        requireVersion(before, expectedVersion)
        if (await sessions.hasRunning(id)) throw new AppError('session-active')
        await sessions.endAllOf(id, actor)
        const sessionIds = await traces.remove(before)
        await repository.remove(id)
        await journal.append({ action: 'user.deleted', actor, userId: id })
        return { photoName: before.photoName, sessionIds }
      })
      if (photoName !== null) await photos.remove(photoName)
      await answers.forget((answer) => [id, ...sessionIds].some((one) => answer.includes(one)))
      return database.completeErasure()
    },

    revokeConsent(id: string, actor: Actor, expectedVersion?: SeenVersions): Promise<UserRow> {
      return database.write(async () => {
        const before = await get(id)
        requireVersion(before, expectedVersion)
        if (!before.consentGiven) return before
        const nowMs = clock.nowMs()
        const row = {
          ...before,
          consentGiven: false,
          consentRevokedAtMs: nowMs,
          version: before.version + 1,
          updatedAtMs: nowMs,
        }
        await repository.update(row)
        await journal.append({ action: 'user.consent_revoked', actor, userId: id })
        await sessions.endAllOf(id, actor)
        return row
      })
    },
  }
}

function profileOf(input: UserInput) {
  return {
    firstName: input.firstName,
    lastName: input.lastName,
    email: input.email ?? null,
    phone: input.phone === undefined ? null : (normalisePhone(input.phone) ?? input.phone),
    birthDate: input.birthDate ?? null,
    sex: input.sex ?? null,
    municipality: input.municipality ?? null,
    occupation: input.occupation ?? null,
    notes: input.notes ?? null,
  }
}

export function toUser(row: UserRow): User {
  const {
    consentAtMs,
    consentRevokedAtMs,
    createdAtMs,
    updatedAtMs,
    photoName,
    searchText: _searchText,
    version: _version,
    ...rest
  } = withoutNulls(row)
  return {
    ...rest,
    hasPhoto: photoName !== undefined,
    ...(consentAtMs === undefined ? {} : { consentAt: instantOf(consentAtMs) }),
    ...(consentRevokedAtMs === undefined ? {} : { consentRevokedAt: instantOf(consentRevokedAtMs) }),
    createdAt: instantOf(createdAtMs),
    updatedAt: instantOf(updatedAtMs),
  }
}
