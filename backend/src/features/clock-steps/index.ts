import { SECOND_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { SessionService } from '../sessions/index.ts'
import type { Presences } from '../stations/index.ts'

/** Less than this is drift, and what time servers correct in small pieces. */
const STEP_MS = 2 * SECOND_MS
const LOOK_MS = SECOND_MS

/**
 * Follows the wall clock when it is set while the server runs. Whatever counts down is moved along, so that nobody
 * gains or loses by it; stations are told the same ends in the new reckoning. Only one of several servers may do so
 * for a database: they share its instants.
 */
export function createClockSteps(ports: {
  database: Database
  sessions: Pick<SessionService, 'shiftAll'>
  presences: Pick<Presences, 'shift'>
  clock: Clock
  log: Logger
}) {
  const { database, sessions, presences, clock, log } = ports
  const { wall } = clock
  let timer: NodeJS.Timeout | undefined
  let following: Promise<void> | undefined

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
        await sessions.shiftAll(stepMs)
      })
      presences.shift(stepMs)
      log.warn({ stepMs }, 'the wall clock was set: whatever counts down goes on as before')
    } catch (err) {
      shiftTo(0)
      log.error({ err, stepMs }, 'following the wall clock failed, trying again')
    }
  }

  return {
    start(): void {
      if (wall === undefined) return
      timer = setInterval(() => {
        following ??= follow().finally(() => {
          following = undefined
        })
      }, LOOK_MS)
    },
    /** Resolves when nothing of it is under way any more. */
    async stop(): Promise<void> {
      clearInterval(timer)
      await following
    },
  }
}
