import type { Clock } from '../../clock.ts'
import { createRoom, type Room } from '../../domain/room.ts'
import type { SessionRecord } from '../../domain/session-record.ts'
import type { AppEvent, AppEvents } from '../../events.ts'
import { createReloading, type ReloadingPorts } from './reloading.ts'
import type { PresenceRepository } from './repository.ts'
import { createChangeReports } from './change-reports.ts'

export interface RoomStore extends Room {
  /** Fills the room; stations that were online get a full deadline for their next message. */
  load(): Promise<void>
  /** Reads stations from the database, by default all, because other servers may have changed them. */
  reload(stationIds?: readonly string[]): Promise<void>
  /** The sessions that differ in the database; one that is missing there was cancelled. */
  missedSessions(): Promise<SessionRecord[]>
  /** Stations with data that this server has not saved yet. */
  readonly unsaved: Set<string>
}

export interface RoomStorePorts {
  repository: Pick<PresenceRepository, 'presences'>
  stations: ReloadingPorts['stations']
  sessions: { findUnended(): Promise<SessionRecord[]>; findByIds(ids: string[]): Promise<SessionRecord[]> }
  events: AppEvents
  clock: Clock
}

/**
 * The room, filled from the database and changed by commits of this server and news of others. Create it before
 * anything else subscribes to events, so that each listener finds the room already changed.
 */
export function createRoomStore(ports: RoomStorePorts): RoomStore {
  const { repository, stations, sessions, events, clock } = ports
  const unsaved = new Set<string>()
  const room = createRoom((stationId, isUrgent) => {
    reloading.touch(stationId)
    reports.note(stationId, isUrgent)
  })
  const reports = createChangeReports(events, (stationId) => room.station(stationId) !== undefined)
  const reloading = createReloading({ repository, stations, room, unsaved, reports, events })

  function follow(event: AppEvent): void {
    if (event.type === 'sessionChanged') room.putSession(event.session)
    if (event.type === 'desiredChanged') room.putDocument(event.stationId, event)
    if (event.type === 'desiredReported') room.noteReported(event.stationId, event.version, event.atMs)
    if (event.type === 'stationRemoved') {
      room.removeStation(event.stationId)
      unsaved.delete(event.stationId)
    }
  }

  events.subscribe((event, origin) => reports.as(origin, () => follow(event)))

  async function missedSessions(): Promise<SessionRecord[]> {
    const known = new Map([...room.sessions()].map((session) => [session.id, session]))
    const saved = await sessions.findUnended()
    const missed = saved.filter(({ id, version }) => version !== known.get(id)?.version)
    for (const { id } of saved) known.delete(id)
    const ended = new Map(
      (await sessions.findByIds([...known.keys()])).map((session) => [session.id, session]),
    )
    const cancelled = { state: 'ended', endReason: 'terminated', endedAtMs: clock.nowMs() } as const
    return [
      ...missed,
      ...[...known.values()].map((session) => ended.get(session.id) ?? { ...session, ...cancelled }),
    ]
  }

  return {
    ...room,
    unsaved,
    missedSessions,
    reload: reloading.reload,
    async load() {
      const records = await stations.findAll()
      const presences = await repository.presences()
      const unended = await sessions.findUnended()
      const nowMs = clock.nowMs()
      for (const record of records) room.putStation(record)
      for (const [stationId, presence] of presences)
        room.changePresence(stationId, presence.online ? { ...presence, lastHeardAtMs: nowMs } : presence)
      for (const session of unended) room.putSession(session)
      // No other state has been shown.
      reports.forget()
    },
  }
}
