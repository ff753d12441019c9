import type { Actor } from '@escale/protocol'
import { selectionOf, windowOf, type PageQuery, type Rows } from '../../db/page-window.ts'
import type { SessionRecord } from '../../db/rows.ts'
import type { SeenVersions } from '../../db/versions.ts'
import { startOfDayMs } from '../../domain/quota.ts'
import { listSessions, sessionFields, type SessionFilter } from '../../domain/room-lists.ts'
import { afterStep, type SessionInput } from '../../domain/session.ts'
import { AppError, type Result } from '../../errors.ts'
import type { LogEntry } from '../logs/index.ts'
import type { RoomStore } from '../room/index.ts'
import { createSessionEnds, type SessionEndPorts } from './ends.ts'
import { createSessionStart, type SessionStartPorts } from './start.ts'
import { createSessionWriting, type SessionWritingPorts } from './writing.ts'

const columns = {
  id: 'id',
  state: 'state',
  createdAt: 'createdAtMs',
  updatedAt: 'updatedAtMs',
  startedAt: 'startedAtMs',
  endsAt: 'endsAtMs',
  suspendedAt: 'suspendedAtMs',
  endedAt: 'endedAtMs',
  endReason: 'endReason',
  codeExpiresAt: 'codeExpiresAtMs',
  grantedSeconds: 'grantedSeconds',
  creditSeconds: 'creditSeconds',
  stationId: 'stationId',
  userId: 'userId',
  createdBy: 'createdBy',
  mayOutliveClosing: 'mayOutliveClosing',
}

export interface SessionPorts extends Omit<
  SessionWritingPorts & SessionStartPorts & SessionEndPorts,
  'room'
> {
  room: Pick<RoomStore, 'session' | 'sessions' | 'station' | 'runningAt' | 'runningOf' | 'running'>
}

export interface ChangeOptions {
  /** Refuse if the session has another version now. */
  expectedVersion?: SeenVersions
  /** More details for the journal: from the server, and from people. */
  details?: LogEntry['details']
  texts?: LogEntry['texts']
}

export type SessionService = ReturnType<typeof createSessionService>

/** The life cycle of sessions: every change is one input to the domain, in one transaction with its log. */
export function createSessionService(ports: SessionPorts) {
  const { database, repository, room, settings, clock } = ports
  const writing = createSessionWriting(ports)
  const { get, rules, announce, onSession, tryStep, rewrite } = writing

  /** For reading; a write bases its decisions on the database. */
  async function find(id: string): Promise<SessionRecord> {
    const session = room.session(id) ?? (await repository.find(id))
    if (!session) throw new AppError('not-found')
    return session
  }

  /**
   * Applies one input to one session. A refusal is returned, not thrown, because time may have changed the session in
   * the same write.
   */
  function change(
    id: string,
    input: SessionInput,
    actor: Actor,
    { expectedVersion, ...told }: ChangeOptions = {},
  ): Promise<Result<SessionRecord>> {
    return onSession(id, expectedVersion, (before) => tryStep(before, input, actor, told))
  }

  return {
    find,
    get,
    change,
    announce,
    rules,
    ...createSessionStart(ports, writing),
    ...createSessionEnds(ports, writing),
    findRunningAt: repository.findRunningAt,
    findUnended: repository.findUnended,
    countUsersSince: repository.countUsersSince,

    async list(filter: SessionFilter, query: PageQuery): Promise<Rows<SessionRecord>> {
      // The sessions that have not ended are in memory.
      if (filter.state === undefined || filter.state === 'ended')
        return repository.list(filter, windowOf(query, columns))
      return listSessions(room.sessions(), filter, selectionOf(query, sessionFields))
    },

    /** Sessions that are active or suspended. */
    listRunning(filter: SessionFilter, query: PageQuery): Rows<SessionRecord> {
      return listSessions(room.running(), filter, selectionOf(query, sessionFields))
    },

    /**
     * The session at a station now belongs to this start of its agent, and the station's document says so.
     * @returns whether there is a session that belongs or belonged to another start
     */
    bind(stationId: string, bootId: string, { isUnboundOnly }: { isUnboundOnly: boolean }): Promise<boolean> {
      return database.write(async () => {
        const session = await repository.findRunningAt(stationId)
        if (!session || session.bootId === bootId) return false
        if (isUnboundOnly && session.bootId !== undefined) return true
        await rewrite(session, { bootId })
        return true
      })
    },

    /** Moves the sessions after a step of the server's clock, inside the current write; stations get new documents. */
    async moveAll(
      stepMs: number,
      isOfThisStart: (session: SessionRecord) => boolean,
    ): Promise<SessionRecord[]> {
      await repository.shiftValidations(stepMs)
      const all: SessionRecord[] = []
      for (const session of await repository.findUnended()) {
        all.push(await rewrite(session, afterStep(session, stepMs, isOfThisStart(session))))
      }
      return all
    },

    /** Whether a user has an active or suspended session. */
    async hasRunning(userId: string): Promise<boolean> {
      return (await repository.findRunningOf(userId)) !== undefined
    },

    /** Sessions of an erased user stay, without a name. Call it inside a write. */
    forgetUser: repository.forgetUser,

    async stats() {
      const sinceMs = startOfDayMs(clock.nowMs(), settings.current().timeZone)
      const { averageElapsedMs, ...counts } = await repository.stats(sinceMs)
      return { ...counts, averageElapsedSeconds: Math.floor(averageElapsedMs / 1_000) }
    },
  }
}
