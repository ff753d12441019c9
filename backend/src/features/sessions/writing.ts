import { MINUTE_MS, type Actor } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { SessionRecord } from '../../db/rows.ts'
import { requireVersion, type SeenVersions } from '../../db/versions.ts'
import { isRunning } from '../../domain/session-record.ts'
import {
  endByClosing,
  transition,
  type LastingEffect,
  type SessionInput,
  type SessionRules,
  type SessionStep,
} from '../../domain/session.ts'
import { AppError, failure, success, type Result } from '../../errors.ts'
import type { AppEvents } from '../../events.ts'
import type { DesiredDocuments, DocumentChange } from '../desired/index.ts'
import { systemActor, type Journal, type LogEntry } from '../logs/index.ts'
import type { RoomStore } from '../room/index.ts'
import { siteOpeningAt, type Settings } from '../settings/index.ts'
import type { StaffCalls } from '../staff-calls/index.ts'
import type { SessionRepository } from './repository.ts'
import { logEntryOf } from './log-entries.ts'

export interface SessionWritingPorts {
  database: Database
  repository: SessionRepository
  desired: DesiredDocuments
  calls: Pick<StaffCalls, 'endWithSessions'>
  room: Pick<RoomStore, 'session'>
  settings: Settings
  journal: Journal
  events: AppEvents
  clock: Clock
}

type Told = Pick<LogEntry, 'details' | 'texts'>
export type StepOptions = Told & { patch?: Partial<SessionRecord> }

/** What became of a session, to be told. */
interface Step extends Told, Pick<DocumentChange, 'known'> {
  session: SessionRecord
  effects: LastingEffect[]
  actor: Actor
}

/** A session changes its station's document once it has started there. */
function documentChangeOf({ session, effects, known }: Step): DocumentChange[] {
  const { startedAtMs, stationId } = session
  if (startedAtMs === undefined || stationId === undefined) return []
  return [{ stationId, actions: effects.map((effect) => logEntryOf(effect).action), known }]
}

/** What its station shows of a session. */
const runningPart = (session: SessionRecord) => (isRunning(session) ? session : undefined)

export type SessionWriting = ReturnType<typeof createSessionWriting>

/** Writes what became of a session, and tells it to journal, station and screens: in one transaction. */
export function createSessionWriting(ports: SessionWritingPorts) {
  const { database, repository, desired, calls, room, settings, journal, events, clock } = ports

  const rules = (): SessionRules => ({ maxSuspendedMs: settings.current().maxSuspendedMinutes * MINUTE_MS })

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
    await database.together(tellAll, { session, effects: lasting, actor, ...told, known })
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
    return database.writeShared(async () => {
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

  /** A session never outlives closing time unless an operator said so; grants beyond it are taken back, on record. */
  function withinOpeningHours(done: SessionStep<SessionRecord>, nowMs: number): SessionStep<SessionRecord> {
    const { session, effects } = done
    const opening = siteOpeningAt(settings, nowMs)
    if (session.state !== 'active' || session.mayOutliveClosing || effects.length === 0) return done
    const cut = endByClosing(session, opening.isOpen ? opening.closesAtMs : nowMs, nowMs)
    return { session: cut.session, effects: [...effects, ...cut.effects] }
  }

  /** Tells calls, stations and journal what became of sessions: of all in one shared transaction at once. */
  async function tellAll(steps: readonly Step[]): Promise<void> {
    const ended = steps.filter(({ session }) => session.state === 'ended')
    // First, so that the stations' documents no longer speak of the calls.
    if (ended.length > 0)
      await calls.endWithSessions(ended.map(({ session, actor }) => ({ sessionId: session.id, actor })))
    const changes = steps.flatMap(documentChangeOf)
    const versions = changes.length > 0 ? await desired.changeAll(changes) : new Map<string, number>()
    await repository.insertGrants(
      steps.flatMap(({ session: { id: sessionId, stationId = '', updatedAtMs: atMs }, effects }) =>
        effects.flatMap((effect) =>
          effect.type === 'timeAdded'
            ? { sessionId, desiredVersion: versions.get(stationId) ?? 0, seconds: effect.addedSeconds, atMs }
            : [],
        ),
      ),
    )
    for (const step of steps) await record(step)
  }

  async function record({ session, effects, actor, details, texts }: Step): Promise<void> {
    const { id: sessionId, stationId, userId } = session
    for (const effect of effects) {
      const entry = logEntryOf(effect)
      const told = { ...entry, details: { ...details, ...entry.details }, texts }
      await journal.append({ actor, sessionId, stationId, userId, ...told })
    }
    announce(session, effects)
  }

  /** Tells live screens of a session once the write under way is committed. */
  function announce(session: SessionRecord, effects: LastingEffect[] = []): void {
    database.afterCommit(() => events.emit({ type: 'sessionChanged', session, effects }))
  }

  /** Writes a session that changes otherwise than by an input of its life; its station is told. */
  async function rewrite(before: SessionRecord, changed: Partial<SessionRecord>): Promise<SessionRecord> {
    const session = { ...before, ...changed, version: before.version + 1, updatedAtMs: clock.nowMs() }
    if (!(await repository.save(session, before.version, rules()))) throw new AppError('version-conflict')
    if (session.state === 'pending') announce(session)
    else await tellAll([{ session, effects: [], actor: systemActor }])
    return session
  }

  return { get, rules, tryStep, step, onSession, rewrite, announce }
}
