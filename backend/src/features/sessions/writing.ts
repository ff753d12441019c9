import { MINUTE_MS, type Actor } from '@escale/protocol'
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
import type { BasePorts } from '../base-ports.ts'
import type { DesiredDocuments, DocumentChange } from '../desired/index.ts'
import { systemActor, type LogEntry } from '../logs/index.ts'
import type { RoomStore } from '../room/index.ts'
import { siteOpeningAt, type Settings } from '../settings/index.ts'
import type { StaffCalls } from '../staff-calls/index.ts'
import type { SessionRepository } from './repository.ts'
import { logEntryOf } from './log-entries.ts'

export interface SessionWritingPorts extends BasePorts {
  repository: SessionRepository
  desired: DesiredDocuments
  calls: Pick<StaffCalls, 'endWithSessions'>
  room: Pick<RoomStore, 'session'>
  settings: Settings
  events: AppEvents
}

type Told = Pick<LogEntry, 'details' | 'texts'>
export type StepOptions = Told & { patch?: Partial<SessionRecord> }

/** The result of a change of a session. */
interface Step extends Told, Pick<DocumentChange, 'known'> {
  session: SessionRecord
  effects: LastingEffect[]
  actor: Actor
}

/** A session that has started there is part of its station's document. */
function documentChangeOf({ session, effects, known }: Step): DocumentChange[] {
  const { startedAtMs, stationId } = session
  if (startedAtMs === undefined || stationId === undefined) return []
  return [{ stationId, actions: effects.map((effect) => logEntryOf(effect).action), known }]
}

/** The part of a session that its station shows. */
const runningPart = (session: SessionRecord) => (isRunning(session) ? session : undefined)

export type SessionWriting = ReturnType<typeof createSessionWriting>

/** Writes the change of a session, with its log and its station's document, in one transaction, and emits the event. */
export function createSessionWriting(ports: SessionWritingPorts) {
  const { database, repository, desired, calls, room, settings, journal, events, clock } = ports

  const rules = (): SessionRules => ({ maxSuspendedMs: settings.current().maxSuspendedMinutes * MINUTE_MS })

  async function get(id: string): Promise<SessionRecord> {
    const session = await repository.find(id)
    if (!session) throw new AppError('not-found')
    return session
  }

  /**
   * Applies one input in the domain, stores the result, and writes log and document.
   * @returns undefined, and writes nothing, if somebody has changed the session since
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

  /** Changes a session that was read in the current write. */
  async function step(...[before, input, actor, options]: Parameters<typeof tryStep>) {
    const done = await tryStep(before, input, actor, options)
    if (!done) throw new AppError('version-conflict')
    return done
  }

  /**
   * Changes a session as it is in the room, without reading it. If another server has changed it, it is read and the
   * change is repeated.
   * @param work returns undefined if the session has changed in the meantime
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

  /** A session ends at closing time unless an operator allowed more. Time beyond that is removed and logged. */
  function withinOpeningHours(done: SessionStep<SessionRecord>, nowMs: number): SessionStep<SessionRecord> {
    const { session, effects } = done
    const opening = siteOpeningAt(settings, nowMs)
    if (session.state !== 'active' || session.mayOutliveClosing || effects.length === 0) return done
    const cut = endByClosing(session, opening.isOpen ? opening.closesAtMs : nowMs, nowMs)
    return { session: cut.session, effects: [...effects, ...cut.effects] }
  }

  /** Writes calls, documents and logs after changes of sessions, for all sessions of a shared transaction at once. */
  async function tellAll(steps: readonly Step[]): Promise<void> {
    const ended = steps.filter(({ session }) => session.state === 'ended')
    // First, so that the stations' documents no longer contain the calls.
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

  /** Emits the event of a session after the commit of the current write. */
  function announce(session: SessionRecord, effects: LastingEffect[] = []): void {
    database.afterCommit(() => events.emit({ type: 'sessionChanged', session, effects }))
  }

  /** Writes another change of a session than an input of its life cycle; its station gets a new document. */
  async function rewrite(before: SessionRecord, changed: Partial<SessionRecord>): Promise<SessionRecord> {
    const session = { ...before, ...changed, version: before.version + 1, updatedAtMs: clock.nowMs() }
    if (!(await repository.save(session, before.version, rules()))) throw new AppError('version-conflict')
    if (session.state === 'pending') announce(session)
    else await tellAll([{ session, effects: [], actor: systemActor }])
    return session
  }

  return { get, rules, tryStep, step, onSession, rewrite, announce }
}
