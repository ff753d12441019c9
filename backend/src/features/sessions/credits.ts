import type { Actor } from '@escale/protocol'
import type { SessionRecord } from '../../db/rows.ts'
import { lostSecondsOf } from '../../domain/credit.ts'
import { AppError, failure, success, unwrap, type Result } from '../../errors.ts'
import { requireVersion, type SeenVersions } from '../../db/versions.ts'
import type { SessionPorts, SessionService } from './service.ts'

export type SessionCredits = ReturnType<typeof createSessionCredits>

/** Minutes that visitors lost by a failure: recorded on their session, given back by an operator. */
export function createSessionCredits(
  ports: SessionPorts & { sessions: Pick<SessionService, 'announce' | 'change' | 'get' | 'rules'> },
) {
  const { database, repository, sessions, journal, clock } = ports

  async function saveCredit(session: SessionRecord, creditSeconds: number): Promise<SessionRecord> {
    const after = { ...session, creditSeconds, version: session.version + 1, updatedAtMs: clock.nowMs() }
    if (!(await repository.save(after, session.version, sessions.rules())))
      throw new AppError('version-conflict')
    sessions.announce(after)
    return after
  }

  /** The session that gets a credit: the same one if it has not ended, otherwise the visitor's running or next one. */
  async function receiverOf(from: SessionRecord, toSessionId?: string): Promise<SessionRecord | undefined> {
    if (toSessionId !== undefined) {
      const chosen = await sessions.get(toSessionId)
      const isForeign = chosen.userId !== undefined && chosen.userId !== from.userId
      return chosen.state === 'ended' || isForeign ? undefined : chosen
    }
    if (from.state !== 'ended') return from
    if (from.userId === undefined) return undefined
    const unended = await repository.findUnendedOf(from.userId)
    return unended.find(({ state }) => state !== 'pending') ?? unended[0]
  }

  return {
    /** Records what a visitor lost while a station was down, from `fromMs` until now, Unix milliseconds. */
    noteOutage(stationId: string, fromMs: number, actor: Actor): Promise<void> {
      return database.write(async () => {
        const nowMs = clock.nowMs()
        const session =
          (await repository.findRunningAt(stationId)) ?? (await repository.findEndedAt(stationId, fromMs))
        const lostSeconds = session ? lostSecondsOf(session, fromMs, nowMs) : 0
        if (!session || lostSeconds === 0) return
        const { id: sessionId, userId, grantedSeconds, creditSeconds } = session
        await saveCredit(session, Math.min(grantedSeconds, creditSeconds + lostSeconds))
        const details = { lostSeconds, cause: 'station-down' }
        await journal.append({
          action: 'session.credit_noted',
          level: 'warning',
          ...{ actor, stationId, sessionId, userId, details },
        })
      })
    },

    /**
     * Gives a session's credit to the visitor.
     * @returns the session that got it
     */
    give(
      id: string,
      toSessionId: string | undefined,
      actor: Actor,
      expectedVersion?: SeenVersions,
    ): Promise<Result<SessionRecord>> {
      return database.write(async () => {
        const from = await sessions.get(id)
        requireVersion(from, expectedVersion)
        const { creditSeconds: seconds, stationId, userId } = from
        if (seconds === 0) return failure('no-credit')
        const receiver = await receiverOf(from, toSessionId)
        if (!receiver) return failure('no-session-for-credit')
        const details = { creditOfSessionId: id }
        const given = await sessions.change(receiver.id, { type: 'addTime', seconds }, actor, { details })
        if (!given.ok) return given
        const emptied = await saveCredit(await sessions.get(id), 0)
        await journal.append({
          action: 'session.credit_given',
          ...{ actor, stationId, sessionId: id, userId, details: { seconds, toSessionId: receiver.id } },
        })
        return success(receiver.id === id ? emptied : unwrap(given))
      })
    },
  }
}
