import { SECOND_MS, type ServerFrame } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { SessionRecord } from '../../db/rows.ts'
import type { LastingEffect } from '../../domain/session.ts'
import type { AppEvents } from '../../events.ts'
import { toStationCommand } from '../../features/commands/index.ts'
import type { RoomStore } from '../../features/room/index.ts'
import { toSessionTime } from '../../features/sessions/index.ts'
import { stationJson, toStation } from '../../features/stations/index.ts'

/** One live screen. It receives everything or one session. */
export interface Listener {
  /** undefined for everything. */
  sessionId: string | undefined
  /** The sign-in of the newest token. */
  signInId: string | undefined
  /** @param text the frame as JSON. @param frame the same frame as an object, if there is one */
  send(text: string, frame?: ServerFrame): void
  /** Closes the connection, because its sign-in has ended. */
  dismiss(): void
}

export type Audience = ReturnType<typeof createAudience>

export interface AudiencePorts {
  events: AppEvents
  room: Pick<RoomStore, 'running' | 'station'>
  clock: Clock
}

/** Passes on what happens to every live screen that may see it, and the time of running sessions each second. */
export function createAudience({ events, room, clock }: AudiencePorts) {
  const listeners = new Set<Listener>()
  const changedStations = new Set<string>()
  /** The last frame of each station. An equal frame is not sent again. */
  const lastFrames = new Map<string, string>()
  let tick: NodeJS.Timeout | undefined

  function broadcast(frame: ServerFrame, sessionId?: string): void {
    if (listeners.size === 0) return
    const text = JSON.stringify(frame)
    for (const listener of listeners) {
      if (listener.sessionId === undefined || listener.sessionId === sessionId) listener.send(text, frame)
    }
  }

  function sendTimes(): void {
    const nowMs = clock.nowMs()
    for (const session of room.running()) {
      broadcast({ type: 'time_update', ...toSessionTime(session, nowMs) }, session.id)
    }
    sendStations()
  }

  function sendStations(): void {
    for (const stationId of changedStations) {
      const station = room.station(stationId)
      if (!station || listeners.size === 0) continue
      const text = `{"type":"station_changed","station":${stationJson(toStation(station))}}`
      if (lastFrames.get(stationId) === text) continue
      lastFrames.set(stationId, text)
      for (const listener of listeners) if (listener.sessionId === undefined) listener.send(text)
    }
    changedStations.clear()
  }

  const unsubscribe = events.subscribe((event) => {
    switch (event.type) {
      case 'sessionChanged':
        for (const frame of framesOf(event.session, event.effects, clock.nowMs()))
          broadcast(frame, event.session.id)
        break
      case 'warned':
        broadcast(
          { type: 'warning', sessionId: event.session.id, remainingSeconds: event.remainingSeconds },
          event.session.id,
        )
        break
      case 'stationChanged':
        changedStations.add(event.stationId)
        // Changes of metrics wait for the next tick; urgent changes are sent now.
        if (event.isUrgent) setImmediate(sendStations)
        break
      case 'settingsChanged':
      case 'desiredChanged':
      case 'desiredReported':
      case 'presencesSaved':
        break
      case 'stationRemoved':
        lastFrames.delete(event.stationId)
        broadcast({ type: 'station_removed', stationId: event.stationId })
        break
      case 'commandChanged':
        broadcast({ type: 'command_changed', command: toStationCommand(event.command) })
        break
      case 'callChanged':
        broadcast({ type: 'call_changed', call: event.call })
        break
      case 'logAdded':
        broadcast({ type: 'log_added', log: event.log })
        break
    }
  })

  return {
    add(listener: Listener): () => void {
      listeners.add(listener)
      tick ??= setInterval(sendTimes, SECOND_MS)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        clearInterval(tick)
        tick = undefined
        lastFrames.clear()
      }
    },
    /** Ids of the sign-ins of all open screens. */
    signIns: (): string[] => [...listeners].flatMap(({ signInId }) => signInId ?? []),
    /** Closes the screens with a matching sign-in. */
    dismiss(matches: (signInId: string) => boolean): void {
      for (const listener of listeners)
        if (listener.signInId !== undefined && matches(listener.signInId)) listener.dismiss()
    },
    close(): void {
      unsubscribe()
      clearInterval(tick)
      listeners.clear()
    },
  }
}

/** The frames for live screens after a change of a session: one for each effect. */
function framesOf(session: SessionRecord, effects: LastingEffect[], nowMs: number): ServerFrame[] {
  const time = toSessionTime(session, nowMs)
  const frames = effects.map((effect): ServerFrame => {
    switch (effect.type) {
      case 'started':
        return { type: 'session_started', ...time }
      case 'timeAdded':
        return { type: 'time_added', ...time, addedSeconds: effect.addedSeconds }
      case 'ended':
        return { type: 'session_terminated', ...time, endReason: effect.reason }
      default:
        return { type: 'time_update', ...time }
    }
  })
  return frames.length > 0 ? frames : [{ type: 'time_update', ...time }]
}
