import { WARNING_SECONDS } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { SessionRecord } from '../../db/rows.ts'
import { deadlineMsOf, endsAtMsOf } from '../../domain/session.ts'
import { crossedByCut, nextWarning, type Warning } from '../../domain/warnings.ts'
import type { AppEvent, AppEvents } from '../../events.ts'
import { createDueWatch } from '../../timing.ts'
import type { RoomStore } from '../room/index.ts'
import type { SessionService } from './service.ts'

export interface Deadlines {
  start(): Promise<void>
  /** Resolves when nothing is running any more. */
  stop(): Promise<void>
}

/** Ends sessions and gives warnings, each at its instant. Nothing is written while only time passes. */
export function createDeadlines(ports: {
  sessions: Pick<SessionService, 'endDue' | 'rules'>
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
    // The settings limit how long a session may be suspended.
    if (event.type === 'settingsChanged') void watch.look()
    if (event.type !== 'sessionChanged') return
    warnOfCut(event)
    const { session } = event
    const warningAtMs = nextWarningOf(session)?.atMs ?? Infinity
    watch.lookAt(Math.min(warningAtMs, deadlineMsOf(session, sessions.rules()) ?? Infinity))
  })

  function nextWarningOf(session: SessionRecord, afterMs = warnedUntilMs): Warning | undefined {
    const endsAtMs = endsAtMsOf(session)
    // Before its last change the session had another end and other thresholds.
    const sinceMs = Math.max(afterMs, session.updatedAtMs)
    return endsAtMs === undefined ? undefined : nextWarning(endsAtMs, sinceMs, WARNING_SECONDS)
  }

  /** Thresholds skipped by a reduction get one warning at once. A reduction to closing time at the start skips none. */
  function warnOfCut({ session, effects }: Extract<AppEvent, { type: 'sessionChanged' }>): void {
    const endsAtMs = endsAtMsOf(session)
    const cut = effects.find((effect) => effect.type === 'timeAdded')
    if (endsAtMs === undefined || !cut || effects.some(({ type }) => type === 'started')) return
    const { updatedAtMs } = session
    const remainingSeconds = crossedByCut(endsAtMs, updatedAtMs, cut.addedSeconds, WARNING_SECONDS)
    if (remainingSeconds !== undefined) events.emit({ type: 'warned', session, remainingSeconds })
  }

  /**
   * Gives the warnings that are due.
   * @returns the instant of the next one
   */
  function warn(nowMs: number): number {
    let nextMs = Infinity
    for (const session of room.running()) {
      let warning = nextWarningOf(session)
      while (warning && warning.atMs <= nowMs) {
        events.emit({ type: 'warned', session, remainingSeconds: warning.remainingSeconds })
        warning = nextWarningOf(session, warning.atMs)
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
