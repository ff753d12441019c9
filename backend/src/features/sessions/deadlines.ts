import { WARNING_SECONDS } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import { endsAtMsOf } from '../../domain/session.ts'
import { crossedByCut, nextWarning } from '../../domain/warnings.ts'
import type { AppEvent, AppEvents } from '../../events.ts'
import { createDueWatch } from '../../timing.ts'
import type { RoomStore } from '../room/index.ts'
import type { SessionService } from './service.ts'

export interface Deadlines {
  start(): Promise<void>
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>
}

/** Ends sessions and warns of their end, each at its instant. Nothing is written while time merely passes. */
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
  const watch = createDueWatch(doDue, 'ending due sessions failed, trying again', { clock, log })

  const unsubscribe = events.subscribe((event) => {
    if (event.type !== 'sessionChanged') return
    warnOfCut(event)
    void watch.look()
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

  async function doDue(): Promise<number> {
    const nextWarningMs = warn(clock.nowMs())
    return Math.min(nextWarningMs, (await sessions.endDue()) ?? Infinity)
  }

  return {
    start: watch.look,
    async stop() {
      unsubscribe()
      await watch.stop()
    },
  }
}
