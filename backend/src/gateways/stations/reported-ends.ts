import { SECOND_MS, unixMsOf, type Actor, type Reported } from '@escale/protocol'
import type { Logger } from 'pino'
import type { RoomStore } from '../../features/room/index.ts'
import type { SessionService } from '../../features/sessions/index.ts'

/** A station that reconnects reports its state before its events. The exact end is expected within this time. */
const EVENTS_WITHIN_MS = 2 * SECOND_MS

export interface ReportedEndPorts {
  sessions: Pick<SessionService, 'endReported'>
  room: Pick<RoomStore, 'runningAt'>
  hasPeers: boolean
  log: Logger
}

export type ReportedEnds = ReturnType<typeof createReportedEnds>

/** Ends the session of a station that reports the state `locked`, if no `session_ended` event of the station follows. */
export function createReportedEnds({ sessions, room, hasPeers, log }: ReportedEndPorts) {
  const waiting = new Map<string, NodeJS.Timeout>()
  let isStopped = false

  function wait(reported: Reported, actor: Actor): void {
    clearTimeout(waiting.get(actor.id))
    if (!isStopped)
      waiting.set(
        actor.id,
        setTimeout(() => void end(reported, actor), EVENTS_WITHIN_MS),
      )
  }

  async function end(reported: Reported, actor: Actor): Promise<void> {
    waiting.delete(actor.id)
    // Most stations that report `locked` have no session.
    if (!hasPeers && room.runningAt(actor.id) === undefined) return
    const { version, bootId, appliedAt } = reported
    try {
      await sessions.endReported(actor.id, { version, bootId, atMs: unixMsOf(appliedAt) }, actor)
    } catch (err) {
      log.error(
        { err, stationId: actor.id },
        'ending a session after a report of its station failed, trying again',
      )
      if (!waiting.has(actor.id)) wait(reported, actor)
    }
  }

  return {
    take(reported: Reported, actor: Actor): void {
      if (reported.state === 'locked') wait(reported, actor)
      else forget(actor.id)
    },

    stop(): void {
      isStopped = true
      for (const stationId of waiting.keys()) forget(stationId)
    },
  }

  function forget(stationId: string): void {
    clearTimeout(waiting.get(stationId))
    waiting.delete(stationId)
  }
}
