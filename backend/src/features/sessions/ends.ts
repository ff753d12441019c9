import type { Actor } from '@escale/protocol'
import type { SessionRecord, StationRow } from '../../db/rows.ts'
import { deadlineMsOf, endsAtMsOf } from '../../domain/session.ts'
import { failure, unwrap, type Result } from '../../errors.ts'
import type { Lookup } from '../feature.ts'
import type { BasePorts } from '../base-ports.ts'
import { systemActor } from '../logs/index.ts'
import type { RoomStore } from '../room/index.ts'
import type { SessionRepository } from './repository.ts'
import type { SessionWriting } from './writing.ts'

export interface SessionEndPorts extends BasePorts {
  repository: SessionRepository
  stations: Lookup<StationRow>
  room: Pick<RoomStore, 'sessions'>
}

/** How sessions end without an operator: by time, by their station, or with their user or station. */
export function createSessionEnds(
  { database, repository, stations, room, journal, clock }: SessionEndPorts,
  { rules, step, tryStep, announce }: SessionWriting,
) {
  const deadlineOf = (session: SessionRecord) => deadlineMsOf(session, rules()) ?? Infinity

  function nextDeadlineMs(): number | undefined {
    let nextMs = Infinity
    for (const session of room.sessions()) nextMs = Math.min(nextMs, deadlineOf(session))
    return nextMs === Infinity ? undefined : nextMs
  }

  /** Ends a session whose time is over. If another server has changed it, its new state is emitted. */
  async function endDueOne(known: SessionRecord): Promise<void> {
    const input = { type: 'timePassed' } as const
    if (await tryStep(known, input, systemActor)) return
    const session = await repository.find(known.id)
    const cancelled = { state: 'ended', endReason: 'terminated', endedAtMs: clock.nowMs() } as const
    if (!session) announce({ ...known, ...cancelled })
    else if (unwrap(await step(session, input, systemActor)) === session) announce(session)
  }

  return {
    /**
     * Ends all sessions whose time is over.
     * @returns the instant of the next end, if there is one
     */
    async endDue(): Promise<number | undefined> {
      // This can be called while an event is being emitted, so the other listeners are called first.
      await Promise.resolve()
      const nowMs = clock.nowMs()
      const nextMs = nextDeadlineMs()
      if (nextMs === undefined || nextMs > nowMs) return nextMs
      await database.write(async () => {
        for (const session of [...room.sessions()].filter((known) => deadlineOf(known) <= nowMs))
          await endDueOne(session)
      })
      return nextDeadlineMs()
    },

    /** The end of a session reported by its station, with the version of the document that it had applied. */
    endByStation(
      id: string,
      end: { atMs: number; reason: 'expired' | 'logged_out' | 'suspended_too_long'; version: number },
      actor: Actor,
    ): Promise<Result<SessionRecord>> {
      return database.write(async () => {
        const session = await repository.find(id)
        if (session?.stationId !== actor.id) return failure('not-found')
        const unseenSeconds = await repository.unseenSeconds(id, end.version)
        const input = { type: 'stationEnded', atMs: end.atMs, reason: end.reason, unseenSeconds } as const
        const ended = await step(session, input, actor)
        const lostSeconds = ended.ok ? ended.value.creditSeconds - session.creditSeconds : 0
        if (lostSeconds > 0) {
          const { stationId, userId } = session
          const details = { lostSeconds, cause: 'grant-unseen' }
          await journal.append({
            action: 'session.credit_noted',
            level: 'warning',
            ...{ actor, stationId, sessionId: id, userId, details },
          })
        }
        return ended
      })
    },

    /**
     * A station reports that it is locked with the newest document applied, so its session has ended. A later event of
     * the station can correct the end.
     */
    async endReported(
      stationId: string,
      { version, atMs, bootId }: { version: number; atMs: number; bootId: string },
      actor: Actor,
    ): Promise<void> {
      if ((await repository.findRunningAt(stationId))?.state !== 'active') return
      await database.write(async () => {
        const session = await repository.findRunningAt(stationId)
        const station = await stations.find(stationId)
        const isOfAnother = session?.bootId !== undefined && session.bootId !== bootId
        if (session?.state !== 'active' || isOfAnother || station?.desiredVersion !== version) return
        const isDue = Math.min(atMs, clock.nowMs()) >= (endsAtMsOf(session) ?? Infinity)
        const input = { type: 'stationEnded', atMs, reason: 'logged_out', unseenSeconds: 0 } as const
        await step(session, isDue ? { type: 'timePassed' } : input, actor, { details: { cause: 'reported' } })
      })
    },

    /** Ends a user's running session, and cancels the pending ones. */
    endAllOf(userId: string, actor: Actor): Promise<void> {
      return database.write(async () => {
        for (const session of await repository.findUnendedOf(userId)) {
          await step(session, { type: 'terminate', reason: 'terminated' }, actor)
        }
      })
    },

    /** Ends the session of a station that is being removed. */
    endAtLostStation(stationId: string, actor: Actor): Promise<void> {
      return database.write(async () => {
        const session = await repository.findRunningAt(stationId)
        if (session) await step(session, { type: 'terminate', reason: 'station_lost' }, actor)
      })
    },
  }
}
