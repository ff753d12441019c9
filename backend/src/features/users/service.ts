import { randomUUID } from 'node:crypto'
import { normalisePhone, type Actor, type Bilingual, type UserInput, type UserStats } from '@escale/protocol'
import { Temporal } from 'temporal-polyfill'
import type { UserRow } from '../../db/rows.ts'
import type { SeenVersions } from '../../db/versions.ts'
import { startOfDayMs } from '../../domain/quota.ts'
import { AppError, invalidField } from '../../errors.ts'
import type { BasePorts } from '../base-ports.ts'
import type { SessionService } from '../sessions/index.ts'
import type { Settings } from '../settings/index.ts'
import type { UserRepository } from './repository.ts'

/** Data about a user outside their own row, which are removed with them. */
export interface HeldElsewhere {
  /** The files of photos. */
  photos: { remove(name: string): Promise<void> }
  /**
   * Texts of others about them;
   * @returns the ids of their sessions
   */
  traces: { remove(user: UserRow): Promise<string[]> }
  /** Stored answers to requests, which can contain their name. */
  answers: { forget(isAbout: (answer: string) => boolean): Promise<void> }
}

export interface UserServicePorts extends HeldElsewhere, BasePorts {
  repository: UserRepository
  sessions: Pick<SessionService, 'countUsersSince' | 'hasRunning' | 'endAllOf' | 'forgetUser'>
  settings: Settings
}

/** An earlier birth date counts as a typing error. */
const FIRST_BIRTH_DATE = '1900-01-01'
const implausibleBirthDate: Bilingual = {
  fr: 'La date de naissance doit être comprise entre le 1er janvier 1900 et aujourd’hui.',
  en: 'The birth date must be between 1 January 1900 and today.',
}

export type UserService = ReturnType<typeof createUserService>

/** Registered visitors. */
export function createUserService(ports: UserServicePorts) {
  const { database, repository, sessions, photos, traces, answers, settings, journal, clock } = ports

  const consentNow = () => ({
    consentGiven: true,
    consentAtMs: clock.nowMs(),
    consentVersion: settings.current().termsVersion,
    consentRevokedAtMs: null,
  })

  /** @throws AppError if the birth date is before 1900 or after today */
  function requirePlausible({ birthDate }: UserInput): void {
    if (birthDate === undefined) return
    const today = Temporal.Instant.fromEpochMilliseconds(clock.nowMs())
      .toZonedDateTimeISO(settings.current().timeZone)
      .toPlainDate()
    // ISO dates compare as text.
    if (birthDate >= FIRST_BIRTH_DATE && birthDate <= today.toString()) return
    throw invalidField('/birthDate', implausibleBirthDate)
  }

  return {
    get: repository.get,
    list: repository.list,
    photoNames: repository.photoNames,

    async stats(): Promise<UserStats> {
      const sinceMs = startOfDayMs(clock.nowMs(), settings.current().timeZone)
      return {
        total: await repository.count(),
        withConsent: await repository.countWithConsent(),
        createdToday: await repository.countCreatedSince(sinceMs),
        withSessionToday: await sessions.countUsersSince(sinceMs),
      }
    },

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

    async replace(id: string, input: UserInput, actor: Actor, expectedVersion?: SeenVersions) {
      requirePlausible(input)
      return database.write(async () => {
        const before = await repository.get(id, expectedVersion)
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
     * Erases a user and every text about them; their sessions stay for the statistics, without a name.
     * @returns whether the free space of the database's files is clean too
     */
    async remove(id: string, actor: Actor, expectedVersion?: SeenVersions): Promise<boolean> {
      const { photoName, sessionIds } = await database.write(async () => {
        const before = await repository.get(id, expectedVersion)
        if (await sessions.hasRunning(id)) throw new AppError('session-active')
        await sessions.endAllOf(id, actor)
        const sessionIds = await traces.remove(before)
        await sessions.forgetUser(id)
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
        const before = await repository.get(id, expectedVersion)
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

    /**
     * Sets or removes a user's photo.
     * @returns the name of the previous file, if it is another one
     */
    setPhoto(
      id: string,
      photoName: string | null,
      actor: Actor,
      expectedVersion?: SeenVersions,
    ): Promise<string | null> {
      return database.write(async () => {
        const before = await repository.get(id, expectedVersion)
        if (before.photoName === photoName) return null
        const version = before.version + 1
        await repository.update({ ...before, photoName, version, updatedAtMs: clock.nowMs() })
        const details = { hasPhoto: photoName !== null }
        await journal.append({ action: 'user.photo_changed', actor, userId: id, details })
        return before.photoName
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
