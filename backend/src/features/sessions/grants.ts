import { randomUUID } from 'node:crypto'
import {
  MINUTE_MS,
  secondsOfMinutes,
  type Actor,
  type CanCreateSession,
  type SessionInput,
} from '@escale/protocol'
import type { SessionRecord } from '../../db/rows.ts'
import { canCreateSession, startOfDayMs } from '../../domain/quota.ts'
import { ageBandOf } from '../../domain/statistics.ts'
import { AppError } from '../../errors.ts'
import { requireVersion, type SeenVersions } from '../../db/versions.ts'
import type { AccessCodes } from './codes.ts'
import type { SessionProfile } from './repository.ts'
import type { SessionPorts, SessionService } from './service.ts'

export type GrantPorts = SessionPorts & {
  codes: AccessCodes
  sessions: Pick<SessionService, 'announce' | 'get' | 'rules'>
}
export type SessionGrants = ReturnType<typeof createSessionGrants>

/** Sessions before they start: granted to somebody, changed, cancelled. */
export function createSessionGrants(ports: GrantPorts) {
  const { database, repository, codes, sessions, settings, journal, clock } = ports

  async function canCreate(userId: string): Promise<CanCreateSession> {
    const user = await repository.findUser(userId)
    if (!user) throw new AppError('not-found')
    const { timeZone, sessionsPerDay: quota, isConsentRequired } = settings.current()
    const sessionsToday = await repository.countCreatedSince(userId, startOfDayMs(clock.nowMs(), timeZone))
    return canCreateSession({ consentGiven: user.consentGiven, isConsentRequired, sessionsToday, quota })
  }

  /** @throws AppError when nobody may be sent to that station, or it is no station of ours */
  async function requireStation(stationId: string | undefined): Promise<void> {
    if (stationId === undefined) return
    const station = await repository.findStation(stationId)
    if (!station) throw unknownReference('/stationId')
    if (station.isMaintenance) throw new AppError('station-maintenance')
  }

  /** @throws AppError with the first reason why this user may not be granted a session */
  async function requireUser(userId: string | undefined): Promise<void> {
    if (userId === undefined) {
      if (!settings.current().areAnonymousPassesAllowed) throw new AppError('anonymous-not-allowed')
      return
    }
    if (!(await repository.findUser(userId))) throw unknownReference('/userId')
    const [refusal] = (await canCreate(userId)).reasons
    if (refusal) throw new AppError(refusal)
  }

  return {
    /** Whether a user may be granted a session now, with every reason against it. */
    canCreate,

    create(input: SessionInput, actor: Actor): Promise<{ session: SessionRecord; accessCode: string }> {
      return database.write(async () => {
        await requireStation(input.stationId)
        await requireUser(input.userId)
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
        const { accessCode, codeHash } = await codes.draw(repository.isCodeTaken)
        await repository.insert(session, codeHash, sessions.rules())
        await repository.insertGrant(session.id, 0, session.grantedSeconds, nowMs)
        await record('session.created', session, actor)
        return { session, accessCode }
      })
    },

    /** Changes a pending session; its code stays. */
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
        if (addedSeconds !== 0) await repository.insertGrant(id, 0, addedSeconds, session.updatedAtMs)
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

  /** What the statistics may know of a visitor once the visitor is forgotten. */
  async function profileOf(userId: string): Promise<SessionProfile | undefined> {
    const user = await repository.findUser(userId)
    if (!user) return undefined
    const { birthDate, sex, municipality, occupation } = user
    const { timeZone } = settings.current()
    const ageBand = birthDate === null ? null : ageBandOf(birthDate, clock.nowMs(), timeZone)
    return { ageBand, sex, municipality, occupation }
  }

  async function record(action: 'session.created' | 'session.updated', session: SessionRecord, actor: Actor) {
    const { id: sessionId, stationId, userId, grantedSeconds } = session
    await repository.saveProfile(sessionId, userId === undefined ? undefined : await profileOf(userId))
    await journal.append({ action, actor, sessionId, stationId, userId, details: { grantedSeconds } })
    sessions.announce(session)
  }
}

function unknownReference(pointer: string): AppError {
  return new AppError('invalid-body', {
    errors: [{ pointer, message: { fr: 'Introuvable.', en: 'Not found.' } }],
  })
}
