import { SECOND_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { SessionRecord } from '../../db/rows.ts'
import { stampOf } from '../../domain/session.ts'
import type { AppEvents } from '../../events.ts'
import type { SessionService } from '../sessions/index.ts'
import type { Presences } from '../room/index.ts'
import type { ServerClockRepository } from './repository.ts'

export { createServerClockRepository } from './repository.ts'

/** Less than this is drift, and what time servers correct in small pieces. */
const STEP_MS = 2 * SECOND_MS
const LOOK_MS = SECOND_MS
/** How far ahead it is written down that the clock has been, and how often, while something counts down. */
const MARK_MS = 5 * SECOND_MS

/**
 * Follows the wall clock when it is set, while the server runs or between two starts. Whatever counts down is moved
 * along, so that nobody gains by it; stations are told the same ends in the new reckoning. Only one of several servers
 * may do so for a database: they share its instants.
 */
export function createClockSteps(ports: {
  database: Database
  repository: ServerClockRepository
  sessions: Pick<SessionService, 'findUnended' | 'moveAll'>
  presences: Pick<Presences, 'shift'>
  events: AppEvents
  clock: Clock
  log: Logger
}) {
  const { database, repository, sessions, presences, events, clock, log } = ports
  const { wall } = clock
  let lookTimer: NodeJS.Timeout | undefined
  let markTimer: NodeJS.Timeout | undefined
  let following: Promise<void> | undefined
  let marking: Promise<void> | undefined
  /** Sessions that are not over: while there are any, time that passes is written down. */
  const unended = new Set<string>()
  /** What earlier starts of the server stamped, by session. */
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

  /** Moves all by a step; what earlier starts stamped is still theirs afterwards. */
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
      // Inside the write, where no other change is under way; it may be asked to do it again.
      await database.write(async () => {
        shiftTo(stepMs)
        await move(stepMs)
        await repository.save(clock.nowMs() + MARK_MS)
      })
      presences.shift(stepMs)
      log.warn({ stepMs }, 'the wall clock was set: whatever counts down goes on as before')
    } catch (err) {
      shiftTo(0)
      log.error({ err, stepMs }, 'following the wall clock failed, trying again')
    }
  }

  /** The mark lies ahead of the time, so that however the server ends, its clock never was beyond the mark. */
  function mark(): void {
    if (wall === undefined) return
    marking ??= database
      .write(() => repository.save(clock.nowMs() + MARK_MS))
      .catch((err: unknown) => log.error({ err }, 'writing down the time failed, trying again'))
      .finally(() => (marking = undefined))
  }

  return {
    /** Takes up the clock where the last start left it; to be done before anything falls due. */
    async begin(): Promise<void> {
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
          log.warn(
            { stepMs },
            'the wall clock is behind the last start: whatever counts down goes on from there',
          )
        await repository.save(unended.size > 0 ? nowMs + MARK_MS : nowMs)
      })
    },

    start(): void {
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

    /** Resolves when nothing of it is under way any more. */
    async stop(): Promise<void> {
      clearInterval(lookTimer)
      clearInterval(markTimer)
      await following
      await marking
    },
  }
}
