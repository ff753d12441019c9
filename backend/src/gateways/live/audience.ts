import { SECOND_MS, type ServerFrame } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { AppEvents } from '../../events.ts'
import { toStationCommand } from '../../features/commands/index.ts'
import { toSessionTime, type RunningSessions } from '../../features/sessions/index.ts'
import type { StationService } from '../../features/stations/index.ts'
import { framesOf } from './frames.ts'

/** One live screen: it sees everything, or one session. */
export interface Listener {
  /** undefined sees everything. */
  sessionId: string | undefined
  /** The sign-in that it was opened under, the newest shown. */
  signInId: string | undefined
  /** @param text the frame as it is sent */
  send(text: string, frame: ServerFrame): void
  /** Its sign-in has ended. */
  dismiss(): void
}

export interface Audience {
  add(listener: Listener): () => void
  /** Sign-ins of the screens that are open. */
  signIns(): string[]
  /** Sends away the screens whose sign-in matches. */
  dismiss(matches: (signInId: string) => boolean): void
  /** Nothing is read any more once it is done. */
  close(): Promise<void>
}

/** Passes on what happens to every live screen that may see it, and the time of running sessions each second. */
export function createAudience(ports: {
  events: AppEvents
  running: RunningSessions
  stations: Pick<StationService, 'viewsOf'>
  clock: Clock
  log: Logger
}): Audience {
  const { events, running, stations, clock, log } = ports
  const listeners = new Set<Listener>()
  const changedStations = new Set<string>()
  let tick: NodeJS.Timeout | undefined
  let reading: Promise<void> = Promise.resolve()

  function tell(frame: ServerFrame, sessionId?: string): void {
    if (listeners.size === 0) return
    const text = JSON.stringify(frame)
    for (const listener of listeners) {
      if (listener.sessionId === undefined || listener.sessionId === sessionId) listener.send(text, frame)
    }
  }

  function tellTimes(): void {
    const nowMs = clock.nowMs()
    for (const session of running.values()) {
      tell({ type: 'time_update', ...toSessionTime(session, nowMs) }, session.id)
    }
    readStations()
  }

  function readStations(): void {
    reading = reading.then(tellStations)
  }

  async function tellStations(): Promise<void> {
    const ids = [...changedStations]
    changedStations.clear()
    if (ids.length === 0 || listeners.size === 0) return
    try {
      for (const station of await stations.viewsOf(ids)) tell({ type: 'station_changed', station })
    } catch (err) {
      log.error({ err }, 'reading changed stations failed')
    }
  }

  const unsubscribe = events.subscribe((event) => {
    switch (event.type) {
      case 'sessionChanged':
        for (const frame of framesOf(event.session, event.effects, clock.nowMs()))
          tell(frame, event.session.id)
        break
      case 'warned':
        tell(
          { type: 'warning', sessionId: event.session.id, remainingSeconds: event.remainingSeconds },
          event.session.id,
        )
        break
      case 'stationChanged':
        changedStations.add(event.stationId)
        // Figures may wait for the next second; a change of state may not.
        if (event.isUrgent) setImmediate(readStations)
        break
      case 'settingsChanged':
      case 'desiredChanged':
      case 'desiredReported':
        break
      case 'stationRemoved':
        tell({ type: 'station_removed', stationId: event.stationId })
        break
      case 'commandChanged':
        tell({ type: 'command_changed', command: toStationCommand(event.command) })
        break
      case 'callChanged':
        tell({ type: 'call_changed', call: event.call })
        break
      case 'logAdded':
        tell({ type: 'log_added', log: event.log })
        break
    }
  })

  return {
    add(listener) {
      listeners.add(listener)
      tick ??= setInterval(tellTimes, SECOND_MS)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        clearInterval(tick)
        tick = undefined
      }
    },
    signIns: () => [...listeners].flatMap(({ signInId }) => signInId ?? []),
    dismiss(matches) {
      for (const listener of listeners)
        if (listener.signInId !== undefined && matches(listener.signInId)) listener.dismiss()
    },
    async close() {
      unsubscribe()
      clearInterval(tick)
      listeners.clear()
      await reading
    },
  }
}
