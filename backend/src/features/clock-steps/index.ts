import { SECOND_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { Store } from '../../db/database.ts'
import type { SessionRecord } from '../../db/rows.ts'
import { stampOf } from '../../domain/session.ts'
import type { AppEvents } from '../../events.ts'
import type { SessionService } from '../sessions/index.ts'
import type { Presences } from '../room/index.ts'
import type { Feature } from '../feature.ts'
import { createServerClockRepository } from './repository.ts'

/** Smaller differences are drift, which time servers correct gradually. */
const STEP_MS = 2 * SECOND_MS
const LOOK_MS = SECOND_MS
/** How often the time is saved while there are sessions, and how far ahead of the clock the saved time is. */
const MARK_MS = 5 * SECOND_MS

export interface ClockStepPorts {
  database: Store
  sessions: Pick<SessionService, 'findUnended' | 'moveAll'>
  presences: Pick<Presences, 'shift'>
  /** Whether other servers share the database. */
  hasPeers: boolean
  events: AppEvents
  clock: Clock
  log: Logger
}

/**
 * Follows the wall clock when it is set, while the server runs or between two starts. The instants of sessions move
 * with it, so that nobody gains or loses time. Stations get new documents. Servers that share a database also share
 * these instants, so they do not follow steps of their own clocks.
 */
export function createClockSteps(ports: ClockStepPorts) {
  const { database, sessions, presences, hasPeers, events, clock, log } = ports
  const repository = createServerClockRepository(database)
  const { wall } = clock
  let lookTimer: NodeJS.Timeout | undefined
  let markTimer: NodeJS.Timeout | undefined
  let following: Promise<void> | undefined
  let marking: Promise<void> | undefined
  /** Sessions that have not ended. The time is saved repeatedly while there are any. */
  const unended = new Set<string>()
  /** Stamps (see `stampOf`) of the sessions that an earlier start of the server wrote. */
  let earlier = new Map<string, number | undefined>()

  events.subscribe((event) => {
    if (event.type !== 'sessionChanged') return
    const { id, state } = event.session
    if (state === 'ended') {
      unended.delete(id)
      return
    }
    if (unended.size === 0) mark()
    unended.add(id)
  })

  const isOfThisStart = (session: SessionRecord) =>
    !earlier.has(session.id) || earlier.get(session.id) !== stampOf(session)

  /** Moves all sessions by a step, and updates the stamps of those that an earlier start wrote. */
  async function move(stepMs: number): Promise<void> {
    const ofThisStart = new Set<string>()
    const moved = await sessions.moveAll(stepMs, (session) => {
      const isNew = isOfThisStart(session)
      if (isNew) ofThisStart.add(session.id)
      return isNew
    })
    const older = moved.filter(({ id }) => !ofThisStart.has(id))
    database.afterCommit(() => (earlier = new Map(older.map((session) => [session.id, stampOf(session)]))))
  }

  async function follow(): Promise<void> {
    const stepMs = wall?.aheadMs() ?? 0
    if (wall === undefined || Math.abs(stepMs) <= STEP_MS) return
    let shiftedMs = 0
    const shiftTo = (ms: number) => {
      wall.shift(ms - shiftedMs)
      shiftedMs = ms
    }
    try {
      // Inside a write, so that no other change runs at the same time. A retry of the write runs this again.
      await database.write(async () => {
        shiftTo(stepMs)
        await move(stepMs)
        await repository.save(clock.nowMs() + MARK_MS)
      })
      presences.shift(stepMs)
      log.warn({ stepMs }, 'the wall clock was set: sessions keep their remaining time')
    } catch (err) {
      shiftTo(0)
      log.error({ err, stepMs }, 'following the wall clock failed, trying again')
    }
  }

  /** Saves an instant ahead of the clock. So the clock has never passed it, even if the server crashes. */
  function mark(): void {
    if (wall === undefined) return
    marking ??= database
      .write(() => repository.save(clock.nowMs() + MARK_MS))
      .catch((err: unknown) => log.error({ err }, 'saving the time failed, trying again'))
      .finally(() => (marking = undefined))
  }

  /** Compares the clock with where the last start of the server left it. */
  async function begin(): Promise<void> {
    const nowMs = clock.nowMs()
    await database.write(async () => {
      const reachedMs = (await repository.reachedMs()) ?? nowMs
      const stepMs = nowMs - reachedMs
      const found = await sessions.findUnended()
      earlier = new Map(found.map((session) => [session.id, stampOf(session)]))
      for (const { id } of found) unended.add(id)
      const isBehind = stepMs < -MARK_MS
      const isBack = stepMs > 0 && found.some(({ movedBackMs = 0 }) => movedBackMs > 0)
      if (isBehind || isBack) await move(stepMs)
      if (isBehind)
        log.warn({ stepMs }, 'the wall clock is behind the last start: sessions keep their remaining time')
      await repository.save(unended.size > 0 ? nowMs + MARK_MS : nowMs)
    })
  }

  return {
    service: {},

    /** Call it before the deadlines start. */
    async start(): Promise<void> {
      if (hasPeers) return
      await begin()
      if (wall === undefined) return
      lookTimer = setInterval(() => {
        following ??= follow().finally(() => {
          following = undefined
        })
      }, LOOK_MS)
      markTimer = setInterval(() => {
        if (unended.size > 0) mark()
      }, MARK_MS)
    },

    /** Resolves when no work is running any more. */
    async stop(): Promise<void> {
      clearInterval(lookTimer)
      clearInterval(markTimer)
      await following
      await marking
    },
  } satisfies Feature
}
