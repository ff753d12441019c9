import { SECOND_MS, type ServerFrame } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { AppEvents } from '../../events.ts'
import { toStationCommand } from '../../features/commands/index.ts'
import type { RoomStore } from '../../features/room/index.ts'
import { toSessionTime } from '../../features/sessions/index.ts'
import { stationJson, toStation } from '../../features/stations/index.ts'
import { framesOf } from './frames.ts'

/** One live screen: it sees everything, or one session. */
export interface Listener {
  /** undefined sees everything. */
  sessionId: string | undefined
  /** The sign-in that it was opened under, the newest shown. */
  signInId: string | undefined
  /** @param text the frame as it is sent, which may have no other form */
  send(text: string, frame?: ServerFrame): void
  /** Its sign-in has ended. */
  dismiss(): void
}

export interface Audience {
  add(listener: Listener): () => void
  /** Sign-ins of the screens that are open. */
  signIns(): string[]
  /** Sends away the screens whose sign-in matches. */
  dismiss(matches: (signInId: string) => boolean): void
  close(): void
}

export interface AudiencePorts {
  events: AppEvents
  room: Pick<RoomStore, 'running' | 'station'>
  clock: Clock
}

/** Passes on what happens to every live screen that may see it, and the time of running sessions each second. */
export function createAudience(ports: AudiencePorts): Audience {
  const { events, room, clock } = ports
  const listeners = new Set<Listener>()
  const changedStations = new Set<string>()
  /** What was told of each station last: it is told again once it is another. */
  const toldStations = new Map<string, string>()
  let tick: NodeJS.Timeout | undefined

  function tell(frame: ServerFrame, sessionId?: string): void {
    if (listeners.size === 0) return
    const text = JSON.stringify(frame)
    for (const listener of listeners) {
      if (listener.sessionId === undefined || listener.sessionId === sessionId) listener.send(text, frame)
    }
  }

  function tellTimes(): void {
    const nowMs = clock.nowMs()
    for (const session of room.running()) {
      tell({ type: 'time_update', ...toSessionTime(session, nowMs) }, session.id)
    }
    tellStations()
  }

  function tellStations(): void {
    for (const stationId of changedStations) {
      const station = room.station(stationId)
      if (!station || listeners.size === 0) continue
      const text = `{"type":"station_changed","station":${stationJson(toStation(station)).toString()}}`
      if (toldStations.get(stationId) === text) continue
      toldStations.set(stationId, text)
      for (const listener of listeners) if (listener.sessionId === undefined) listener.send(text)
    }
    changedStations.clear()
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
        // Metrics may wait for the next second; a change of state may not.
        if (event.isUrgent) setImmediate(tellStations)
        break
      case 'settingsChanged':
      case 'desiredChanged':
      case 'desiredReported':
      case 'presencesSaved':
        break
      case 'stationRemoved':
        toldStations.delete(event.stationId)
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
        toldStations.clear()
      }
    },
    signIns: () => [...listeners].flatMap(({ signInId }) => signInId ?? []),
    dismiss(matches) {
      for (const listener of listeners)
        if (listener.signInId !== undefined && matches(listener.signInId)) listener.dismiss()
    },
    close() {
      unsubscribe()
      clearInterval(tick)
      listeners.clear()
    },
  }
}
