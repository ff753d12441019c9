import { SECOND_MS, WARNING_SECONDS } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import { endsAtMsOf } from '../../domain/session.ts'
import { crossedByCut, nextWarning } from '../../domain/warnings.ts'
import type { AppEvent, AppEvents } from '../../events.ts'
import type { RoomStore } from '../room/index.ts'
import type { SessionService } from './service.ts'

/** A timer cannot wait longer than 2^31 ms, and none needs to. */
const LONGEST_WAIT_MS = 3_600_000
/** After a failed attempt to end what is due. */
const RETRY_MS = SECOND_MS

export interface Deadlines {
  start(): Promise<void>
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>
}

/**
 * Ends sessions and warns of their end, each at its instant: one timer that waits for whatever comes next.
 * Nothing is written while time merely passes.
 */
export function createDeadlines(ports: {
  sessions: Pick<SessionService, 'endDue'>
  room: Pick<RoomStore, 'running'>
  events: AppEvents
  clock: Clock
  log: Logger
}): Deadlines {
  const { sessions, room, events, clock, log } = ports
  /** The instant up to which warnings have been given. */
  let warnedUntilMs = clock.nowMs()
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let newestLook = 0
  const looking = new Set<Promise<void>>()

  const unsubscribe = events.subscribe((event) => {
    if (event.type !== 'sessionChanged') return
    warnOfCut(event)
    void start()
  })

  /** Thresholds that a cut skips are not waited for. One that begins a session, by closing time, skips none. */
  function warnOfCut({ session, effects }: Extract<AppEvent, { type: 'sessionChanged' }>): void {
    const endsAtMs = endsAtMsOf(session)
    const cut = effects.find((effect) => effect.type === 'timeAdded')
    if (endsAtMs === undefined || !cut || effects.some(({ type }) => type === 'started')) return
    const { updatedAtMs } = session
    const remainingSeconds = crossedByCut(endsAtMs, updatedAtMs, cut.addedSeconds, WARNING_SECONDS)
    if (remainingSeconds !== undefined) events.emit({ type: 'warned', session, remainingSeconds })
  }

  /** Gives the warnings that have come due since the last time; @returns the instant of the next one. */
  function warn(nowMs: number): number {
    let nextMs = Infinity
    for (const session of room.running()) {
      const endsAtMs = endsAtMsOf(session)
      if (endsAtMs === undefined) continue
      // Before its last change the session ended at another instant, and had other thresholds.
      const sinceMs = Math.max(warnedUntilMs, session.updatedAtMs)
      let warning = nextWarning(endsAtMs, sinceMs, WARNING_SECONDS)
      while (warning && warning.atMs <= nowMs) {
        events.emit({ type: 'warned', session, remainingSeconds: warning.remainingSeconds })
        warning = nextWarning(endsAtMs, warning.atMs, WARNING_SECONDS)
      }
      if (warning) nextMs = Math.min(nextMs, warning.atMs)
    }
    warnedUntilMs = nowMs
    return nextMs
  }

  function start(): Promise<void> {
    const look = lookOnce()
    looking.add(look)
    return look.finally(() => looking.delete(look))
  }

  async function lookOnce(): Promise<void> {
    const look = (newestLook += 1)
    const nextWarningMs = warn(clock.nowMs())
    let nextEndMs: number
    try {
      nextEndMs = (await sessions.endDue()) ?? Infinity
    } catch (err) {
      log.error({ err }, 'ending due sessions failed, trying again')
      nextEndMs = clock.nowMs() + RETRY_MS
    }
    // An older look may answer late, and knows less.
    if (isStopped || look !== newestLook) return
    clearTimeout(timer)
    const waitMs = Math.max(0, Math.min(nextWarningMs, nextEndMs) - clock.nowMs())
    timer = setTimeout(() => void start(), Math.min(LONGEST_WAIT_MS, waitMs))
  }

  return {
    start,
    async stop() {
      isStopped = true
      unsubscribe()
      clearTimeout(timer)
      await Promise.all(looking)
    },
  }
}
