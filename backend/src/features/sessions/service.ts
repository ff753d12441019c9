import { MINUTE_MS, type Actor, type ErrorCode } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { SessionRecord } from '../../db/rows.ts'
import { isRunning } from '../../domain/session-record.ts'
import { listSessions, sessionFields, type SessionFilter } from '../../domain/room-lists.ts'
import { startOfDayMs } from '../../domain/quota.ts'
import {
  afterStep,
  deadlineMsOf,
  endByClosing,
  endsAtMsOf,
  transition,
  type LastingEffect,
  type SessionInput,
  type SessionRules,
  type SessionStep,
} from '../../domain/session.ts'
import { AppError, failure, success, unwrap, type Result } from '../../errors.ts'
import type { AppEvents } from '../../events.ts'
import { requireVersion, type SeenVersions } from '../../db/versions.ts'
import { selectionOf, windowOf, type PageQuery, type Rows } from '../../db/page-window.ts'
import type { DesiredDocuments, KnownSession } from '../desired/index.ts'
import { systemActor, type Journal, type LogEntry } from '../logs/index.ts'
import { siteOpeningAt, type Settings } from '../settings/index.ts'
import type { StaffCalls } from '../staff-calls/index.ts'
import type { Machines, RoomStore } from '../room/index.ts'
import { VALIDATION_MS, wrongStation } from './codes.ts'
import type { SessionRepository } from './repository.ts'
import { logEntryOf } from './told.ts'

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

export interface SessionPorts {
  database: Database
  repository: SessionRepository
  desired: DesiredDocuments
  calls: Pick<StaffCalls, 'endWithSession'>
  machines: Pick<Machines, 'bootIdOf' | 'isInConflict'>
  room: Pick<RoomStore, 'session' | 'sessions' | 'station' | 'runningAt' | 'runningOf'>
  /** Whether other servers may have changed a station just now. */
  hasPeers: boolean
  settings: Settings
  journal: Journal
  events: AppEvents
  clock: Clock
}

export interface ChangeOptions {
  /** Refuse when the session has another version by now. */
  expectedVersion?: SeenVersions
  /** More for the journal: of ours, and of people's. */
  details?: LogEntry['details']
  texts?: LogEntry['texts']
}

type Told = Pick<ChangeOptions, 'details' | 'texts'>
type StepOptions = Told & { patch?: Partial<SessionRecord> }

/** What its station shows of a session. */
const runningPart = (session: SessionRecord) => (isRunning(session) ? session : undefined)

export type SessionService = ReturnType<typeof createSessionService>

/** The life of sessions: every change is one input to the domain, in one transaction with its record. */
export function createSessionService(ports: SessionPorts) {
  const { database, repository, desired, calls, machines, room, settings, journal, events, clock } = ports
  const { hasPeers } = ports

  const rules = (): SessionRules => ({ maxSuspendedMs: settings.current().maxSuspendedMinutes * MINUTE_MS })

  /** For whoever shows it; what is written follows from what the database has. */
  async function find(id: string): Promise<SessionRecord> {
    const session = room.session(id) ?? (await repository.find(id))
    if (!session) throw new AppError('not-found')
    return session
  }

  async function get(id: string): Promise<SessionRecord> {
    const session = await repository.find(id)
    if (!session) throw new AppError('not-found')
    return session
  }

  /**
   * Gives one input to the domain, keeps what lasts of the outcome, and tells it to journal and station.
   * @returns undefined, and nothing is written, when somebody has changed the session since
   */
  async function tryStep(
    before: SessionRecord,
    input: SessionInput,
    actor: Actor,
    { patch, ...told }: StepOptions = {},
  ): Promise<Result<SessionRecord> | undefined> {
    const nowMs = clock.nowMs()
    const { session: after, effects } = withinOpeningHours(transition(before, input, nowMs, rules()), nowMs)
    const refusal = effects.find((effect) => effect.type === 'rejected')
    const lasting = effects.filter((effect) => effect.type !== 'rejected')
    if (lasting.length === 0) return refusal ? failure(refusal.code) : success(before)
    const patched = refusal ? after : { ...after, ...patch }
    const session = { ...patched, version: before.version + 1, updatedAtMs: nowMs }
    if (!(await repository.save(session, before.version, rules()))) return undefined
    const known = isRunning(before) || isRunning(session) ? { session: runningPart(session) } : undefined
    await tell(session, lasting, actor, { ...told, known })
    return refusal ? failure(refusal.code) : success(session)
  }

  /** A step on a session that was read in the write under way. */
  async function step(...[before, input, actor, options]: Parameters<typeof tryStep>) {
    const done = await tryStep(before, input, actor, options)
    if (!done) throw new AppError('version-conflict')
    return done
  }

  /**
   * Works on a session as the room has it, without reading it. Another server may know better: unless it is changed
   * that way, it is read and worked on again.
   * @param work answers undefined when the session has changed meanwhile
   */
  function onSession(
    id: string,
    expectedVersion: SeenVersions | undefined,
    work: (before: SessionRecord, isFromRoom: boolean) => Promise<Result<SessionRecord> | undefined>,
  ): Promise<Result<SessionRecord>> {
    return database.write(async () => {
      const known = room.session(id)
      if (known && (expectedVersion === undefined || expectedVersion.includes(known.version))) {
        const done = await work(known, true)
        if (done?.ok && done.value !== known) return done
      }
      const before = await get(id)
      requireVersion(before, expectedVersion)
      const done = await work(before, false)
      if (!done) throw new AppError('version-conflict')
      return done
    })
  }

  const deadlineOf = (session: SessionRecord) => deadlineMsOf(session, rules()) ?? Infinity

  function nextDeadlineMs(): number | undefined {
    let nextMs = Infinity
    for (const session of room.sessions()) nextMs = Math.min(nextMs, deadlineOf(session))
    return nextMs === Infinity ? undefined : nextMs
  }

  /** Ends a session on time alone; one that another server has changed is told as it is. */
  async function endDueOne(known: SessionRecord): Promise<void> {
    const input = { type: 'timePassed' } as const
    if (await tryStep(known, input, systemActor)) return
    const session = await repository.find(known.id)
    const cancelled = { state: 'ended', endReason: 'terminated', endedAtMs: clock.nowMs() } as const
    if (!session) announce({ ...known, ...cancelled })
    else if (unwrap(await step(session, input, systemActor)) === session) announce(session)
  }

  /** A session never outlives closing time unless an operator said so; grants beyond it are taken back, on record. */
  function withinOpeningHours(done: SessionStep<SessionRecord>, nowMs: number): SessionStep<SessionRecord> {
    const { session, effects } = done
    const opening = siteOpeningAt(settings, nowMs)
    if (session.state !== 'active' || session.mayOutliveClosing || effects.length === 0) return done
    const cut = endByClosing(session, opening.isOpen ? opening.closesAtMs : nowMs, nowMs)
    return { session: cut.session, effects: [...effects, ...cut.effects] }
  }

  async function tell(
    session: SessionRecord,
    effects: LastingEffect[],
    actor: Actor,
    { details, texts, known }: Told & { known?: KnownSession | undefined } = {},
  ): Promise<void> {
    const { id: sessionId, stationId, userId } = session
    const hasStarted = session.startedAtMs !== undefined && stationId !== undefined
    const actions = effects.map((effect) => logEntryOf(effect).action)
    // First, so that the station's document no longer speaks of it.
    if (session.state === 'ended') await calls.endWithSession(sessionId, actor)
    const version = hasStarted ? await desired.change(stationId, actions, known) : undefined
    for (const effect of effects) {
      if (effect.type === 'timeAdded') {
        await repository.insertGrant(sessionId, version ?? 0, effect.addedSeconds, session.updatedAtMs)
      }
      const entry = logEntryOf(effect)
      await journal.append({
        actor,
        sessionId,
        stationId,
        userId,
        ...entry,
        details: { ...details, ...entry.details },
        texts,
      })
    }
    announce(session, effects)
  }

  /** Tells live screens of a session once the write under way is committed. */
  function announce(session: SessionRecord, effects: LastingEffect[] = []): void {
    database.afterCommit(() => events.emit({ type: 'sessionChanged', session, effects }))
  }

  /** One input to one session. A refusal is a value, for it may follow what time alone had changed. */
  function change(
    id: string,
    input: SessionInput,
    actor: Actor,
    { expectedVersion, ...told }: ChangeOptions = {},
  ): Promise<Result<SessionRecord>> {
    return onSession(id, expectedVersion, (before) => tryStep(before, input, actor, told))
  }

  /** Starts a pending session at a station: the redemption of its code, for one caller alone. */
  function start(
    id: string,
    stationId: string | undefined,
    actor: Actor,
    expectedVersion?: SeenVersions,
  ): Promise<Result<SessionRecord>> {
    return onSession(id, expectedVersion, async (before, isFromRoom) => {
      const wanted = actor.type === 'station' ? actor.id : stationId
      const target = before.stationId ?? wanted
      if (target === undefined) return failure('station-required')
      if (wanted !== undefined && wanted !== target) return wrongStation(repository, target)
      if (before.state === 'active') return success(before)
      const isWaiting = before.state === 'pending'
      const refusal = isWaiting ? await refusalToStart(before, target, actor, isFromRoom) : undefined
      if (refusal) return failure(refusal)
      return tryStep(before, { type: 'start' }, actor, {
        patch: { stationId: target, bootId: machines.bootIdOf(target) },
      })
    })
  }

  async function refusalToStart(
    session: SessionRecord,
    stationId: string,
    actor: Actor,
    isFromRoom: boolean,
  ): Promise<ErrorCode | undefined> {
    if (actor.type === 'station') {
      const bootId = machines.bootIdOf(stationId)
      const sinceMs = clock.nowMs() - VALIDATION_MS
      const isValidated = await repository.isValidated(session.id, { stationId, bootId, sinceMs })
      if (!isValidated) return 'code-not-validated'
    }
    if (!session.mayOutliveClosing && !siteOpeningAt(settings, clock.nowMs()).isOpen) return 'site-closed'
    const isStationInRoom = isFromRoom && !hasPeers
    const station = isStationInRoom
      ? room.station(stationId)?.record
      : await repository.findStation(stationId)
    if (!station) return 'station-required'
    if (machines.isInConflict(stationId)) return 'station-conflict'
    if (station.isMaintenance) return 'station-maintenance'
    return (await isTaken(stationId, session.userId, isFromRoom)) ? 'session-active' : undefined
  }

  /** What the room does not know yet of other servers, unique indexes refuse. */
  async function isTaken(
    stationId: string,
    userId: string | undefined,
    isFromRoom: boolean,
  ): Promise<boolean> {
    if (isFromRoom)
      return Boolean(room.runningAt(stationId) ?? (userId !== undefined && room.runningOf(userId)))
    if (await repository.findRunningAt(stationId)) return true
    return userId !== undefined && (await repository.findRunningOf(userId)) !== undefined
  }

  return {
    find,
    get,
    change,
    start,
    announce,
    rules,
    findRunningAt: repository.findRunningAt,
    findUnended: repository.findUnended,
    countUsersSince: repository.countUsersSince,

    list: (filter: SessionFilter, query: PageQuery): Promise<Rows<SessionRecord>> =>
      repository.list(filter, windowOf(query, columns)),

    /** Sessions that are active or suspended. */
    listRunning(filter: SessionFilter, query: PageQuery): Rows<SessionRecord> {
      const running = { ...filter, states: ['active', 'suspended'] as const }
      return listSessions(room, running, selectionOf(query, sessionFields))
    },

    /** Ends whatever time alone ends; @returns the instant of the next such end, if there is one. */
    async endDue(): Promise<number | undefined> {
      // Asked in the middle of an event or of a timer: whoever else is told goes first.
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

    /** A station's own end of its session, with the version of the document that it had applied. */
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
     * The session at a station belongs to this start of its agent from now on; the station is told.
     * @returns whether there is a session that belongs to another, or did until now
     */
    bind(stationId: string, bootId: string, { isUnboundOnly }: { isUnboundOnly: boolean }): Promise<boolean> {
      return database.write(async () => {
        const session = await repository.findRunningAt(stationId)
        if (!session || session.bootId === bootId) return false
        if (isUnboundOnly && session.bootId !== undefined) return true
        const bound = { ...session, bootId, version: session.version + 1, updatedAtMs: clock.nowMs() }
        if (!(await repository.save(bound, session.version, rules()))) throw new AppError('version-conflict')
        await tell(bound, [], systemActor)
        return true
      })
    },

    /**
     * A station reports that it is locked, with the newest document applied: whatever became of its own word of it, its
     * session is over. What it tells of the end later makes this one exact.
     */
    async endReported(
      stationId: string,
      { version, atMs, bootId }: { version: number; atMs: number; bootId: string },
      actor: Actor,
    ): Promise<void> {
      if ((await repository.findRunningAt(stationId))?.state !== 'active') return
      await database.write(async () => {
        const session = await repository.findRunningAt(stationId)
        const station = await repository.findStation(stationId)
        const isOfAnother = session?.bootId !== undefined && session.bootId !== bootId
        if (session?.state !== 'active' || isOfAnother || station?.desiredVersion !== version) return
        const isDue = Math.min(atMs, clock.nowMs()) >= (endsAtMsOf(session) ?? Infinity)
        const input = { type: 'stationEnded', atMs, reason: 'logged_out', unseenSeconds: 0 } as const
        await step(session, isDue ? { type: 'timePassed' } : input, actor, { details: { cause: 'reported' } })
      })
    },

    /** Moves what counts down after a step of the server's clock, in the write under way; stations are told. */
    async moveAll(
      stepMs: number,
      isOfThisStart: (session: SessionRecord) => boolean,
    ): Promise<SessionRecord[]> {
      await repository.shiftValidations(stepMs)
      const all: SessionRecord[] = []
      for (const session of await repository.findUnended()) {
        const stepped = afterStep(session, stepMs, isOfThisStart(session))
        const moved = { ...stepped, version: session.version + 1, updatedAtMs: clock.nowMs() }
        if (!(await repository.save(moved, session.version, rules()))) throw new AppError('version-conflict')
        if (moved.state === 'pending') announce(moved)
        else await tell(moved, [], systemActor)
        all.push(moved)
      }
      return all
    },

    /** Whether a user has a session that is active or suspended. */
    async hasRunning(userId: string): Promise<boolean> {
      return (await repository.findRunningOf(userId)) !== undefined
    },

    /** Ends what depends on a user: the running session, and those that wait for their code. */
    endAllOf(userId: string, actor: Actor): Promise<void> {
      return database.write(async () => {
        for (const session of await repository.findUnendedOf(userId)) {
          await step(session, { type: 'terminate', reason: 'terminated' }, actor)
        }
      })
    },

    /** Sessions of a user who is erased stay, without a name. Call inside a write. */
    forgetUser: repository.forgetUser,

    /** Ends the session of a station that is going away. */
    endAtLostStation(stationId: string, actor: Actor): Promise<void> {
      return database.write(async () => {
        const session = await repository.findRunningAt(stationId)
        if (session) await step(session, { type: 'terminate', reason: 'station_lost' }, actor)
      })
    },

    async stats() {
      const sinceMs = startOfDayMs(clock.nowMs(), settings.current().timeZone)
      const { averageElapsedMs, ...counts } = await repository.stats(sinceMs)
      return { ...counts, averageElapsedSeconds: Math.floor(averageElapsedMs / 1_000) }
    },
  }
}
