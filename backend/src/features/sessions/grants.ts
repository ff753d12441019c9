import { randomUUID } from 'node:crypto'
import {
  MINUTE_MS,
  secondsOfMinutes,
  type Actor,
  type CanCreateSession,
  type SessionInput,
} from '@escale/protocol'
import type { SessionRecord, UserRow } from '../../db/rows.ts'
import { canCreateSession, startOfDayMs } from '../../domain/quota.ts'
import { ageBandOf } from '../../domain/statistics.ts'
import { AppError } from '../../errors.ts'
import { requireVersion, type SeenVersions } from '../../db/versions.ts'
import type { Lookup } from '../feature.ts'
import type { AccessCodes } from './codes.ts'
import type { SessionProfile } from './repository.ts'
import type { SessionPorts, SessionService } from './service.ts'

export type GrantPorts = SessionPorts & {
  users: Lookup<UserRow>
  codes: AccessCodes
  sessions: Pick<SessionService, 'announce' | 'get' | 'rules'>
}
export type SessionGrants = ReturnType<typeof createSessionGrants>

/** Sessions before their start: created, changed, cancelled. */
export function createSessionGrants(ports: GrantPorts) {
  const { database, repository, stations, users, codes, sessions, settings, journal, clock } = ports

  async function canCreate(userId: string): Promise<CanCreateSession> {
    const user = await users.find(userId)
    if (!user) throw new AppError('not-found')
    return mayHaveSession(user)
  }

  async function mayHaveSession({ id, consentGiven }: UserRow): Promise<CanCreateSession> {
    const { timeZone, sessionsPerDay: quota, isConsentRequired } = settings.current()
    const sessionsToday = await repository.countCreatedSince(id, startOfDayMs(clock.nowMs(), timeZone))
    return canCreateSession({ consentGiven, isConsentRequired, sessionsToday, quota })
  }

  /** @throws AppError if the station does not exist or is in maintenance */
  async function requireStation(stationId: string | undefined): Promise<void> {
    if (stationId === undefined) return
    const station = await stations.find(stationId)
    if (!station) throw unknownReference('/stationId')
    if (station.isMaintenance) throw new AppError('station-maintenance')
  }

  /**
   * The visitor of a new session; none for an anonymous pass.
   * @throws AppError with the first reason why this user may not have a session
   */
  async function requireUser(userId: string | undefined): Promise<UserRow | undefined> {
    if (userId === undefined) {
      if (!settings.current().areAnonymousPassesAllowed) throw new AppError('anonymous-not-allowed')
      return undefined
    }
    const user = await users.find(userId)
    if (!user) throw unknownReference('/userId')
    const [refusal] = (await mayHaveSession(user)).reasons
    if (refusal) throw new AppError(refusal)
    return user
  }

  /**
   * Stores a new session with a code that no other pending session has.
   * @returns the code as it is shown
   */
  async function insertUnderCode(session: SessionRecord): Promise<string> {
    for (;;) {
      const { accessCode, codeHash } = codes.draw()
      if (await repository.insert(session, codeHash, sessions.rules())) return accessCode
    }
  }

  return {
    /** Whether a user may have a session now, with every reason against it. */
    canCreate,

    create(input: SessionInput, actor: Actor): Promise<{ session: SessionRecord; accessCode: string }> {
      return database.writeShared(async () => {
        await requireStation(input.stationId)
        const user = await requireUser(input.userId)
        const nowMs = clock.nowMs()
        const session: SessionRecord = {
          id: randomUUID(),
          userId: input.userId,
          stationId: input.stationId,
          state: 'pending',
          grantedSeconds: secondsOfMinutes(input.minutes),
          creditSeconds: 0,
          consumedMs: 0,
          codeExpiresAtMs: nowMs + settings.current().codeLifetimeMinutes * MINUTE_MS,
          createdBy: actor.label,
          mayOutliveClosing: input.mayOutliveClosing ?? false,
          version: 1,
          createdAtMs: nowMs,
          updatedAtMs: nowMs,
        }
        const accessCode = await insertUnderCode(session)
        await database.together(repository.insertGrants, {
          ...{ sessionId: session.id, desiredVersion: 0, seconds: session.grantedSeconds, atMs: nowMs },
        })
        if (user) await repository.insertProfile(session.id, profileOf(user))
        await record('session.created', session, actor)
        return { session, accessCode }
      })
    },

    /** Changes a pending session; its code does not change. */
    replace(
      id: string,
      input: SessionInput,
      actor: Actor,
      expectedVersion?: SeenVersions,
    ): Promise<SessionRecord> {
      return database.write(async () => {
        const before = await requirePending(id)
        requireVersion(before, expectedVersion)
        await requireStation(input.stationId)
        if (input.userId !== before.userId) await requireUser(input.userId)
        const session: SessionRecord = {
          ...before,
          userId: input.userId,
          stationId: input.stationId,
          mayOutliveClosing: input.mayOutliveClosing ?? false,
          grantedSeconds: secondsOfMinutes(input.minutes),
          version: before.version + 1,
          updatedAtMs: clock.nowMs(),
        }
        if (!(await repository.save(session, before.version, sessions.rules())))
          throw new AppError('version-conflict')
        const addedSeconds = session.grantedSeconds - before.grantedSeconds
        const grant = { sessionId: id, desiredVersion: 0, seconds: addedSeconds, atMs: session.updatedAtMs }
        if (addedSeconds !== 0) await repository.insertGrants([grant])
        const user = session.userId === undefined ? undefined : await users.find(session.userId)
        await repository.saveProfile(id, user && profileOf(user))
        await record('session.updated', session, actor)
        return session
      })
    },

    cancel(id: string, actor: Actor, expectedVersion?: SeenVersions): Promise<void> {
      return database.write(async () => {
        const before = await requirePending(id)
        requireVersion(before, expectedVersion)
        const { stationId, userId } = before
        await repository.remove(id)
        await journal.append({ action: 'session.cancelled', actor, sessionId: id, stationId, userId })
        const endReason = 'terminated'
        const ended = { type: 'ended', reason: endReason, atMs: clock.nowMs() } as const
        sessions.announce({ ...before, state: 'ended', endReason, endedAtMs: ended.atMs }, [ended])
      })
    },
  }

  async function requirePending(id: string): Promise<SessionRecord> {
    const session = await sessions.get(id)
    if (session.state !== 'pending') throw new AppError('session-not-pending')
    return session
  }

  /** The profile of a visitor that the statistics keep after an erasure. */
  function profileOf({ birthDate, sex, municipality, occupation }: UserRow): SessionProfile {
    const { timeZone } = settings.current()
    const ageBand = birthDate === null ? null : ageBandOf(birthDate, clock.nowMs(), timeZone)
    return { ageBand, sex, municipality, occupation }
  }

  async function record(action: 'session.created' | 'session.updated', session: SessionRecord, actor: Actor) {
    const { id: sessionId, stationId, userId, grantedSeconds } = session
    await journal.append({ action, actor, sessionId, stationId, userId, details: { grantedSeconds } })
    sessions.announce(session)
  }
}

function unknownReference(pointer: string): AppError {
  return new AppError('invalid-body', {
    errors: [{ pointer, message: { fr: 'Introuvable.', en: 'Not found.' } }],
  })
}
