import type { ServerFrame, Session, SessionTime, Station } from '@escale/protocol'

/** The room as the pages know it: all stations, and the sessions that have not ended. */
export interface Room {
  stations: Map<string, Station>
  sessions: Map<string, Session>
}

/** What must be loaded from the server after a frame. */
export type Followup =
  | { load: 'session'; id: string }
  | { load: 'user'; id: string }
  | { load: 'pairing-requests' }
  | { load: 'credits' }

const NOTHING: Followup[] = []

/** Applies a live frame to the room. A frame about an unknown session only says that it must be loaded. */
export function applyFrame(room: Room, frame: ServerFrame): Followup[] {
  switch (frame.type) {
    case 'time_update':
    case 'session_started':
    case 'time_added':
      return applyTime(room, frame)
    case 'session_terminated':
      room.sessions.delete(frame.sessionId)
      return NOTHING
    case 'station_changed':
      keepStation(room, frame.station)
      return NOTHING
    case 'station_removed':
      room.stations.delete(frame.stationId)
      return NOTHING
    case 'log_added':
      return applyLog(room, frame.log)
    default:
      return NOTHING
  }
}

/** Keeps a station unless the known one is newer: an answer and a frame may arrive in either order. */
export function keepStation(room: Room, station: Station): void {
  const known = room.stations.get(station.id)
  if (known === undefined || known.updatedAt <= station.updatedAt) room.stations.set(station.id, station)
}

/** Keeps a session that has not ended, and forgets one that has. */
export function keepSession(room: Room, session: Session): void {
  if (session.state === 'ended') room.sessions.delete(session.id)
  else room.sessions.set(session.id, session)
}

function applyTime(room: Room, time: SessionTime): Followup[] {
  if (time.state === 'ended') {
    room.sessions.delete(time.sessionId)
    return NOTHING
  }
  const known = room.sessions.get(time.sessionId)
  if (known === undefined) return [{ load: 'session', id: time.sessionId }]
  const { stationId, state, grantedSeconds, remainingSeconds, elapsedSeconds, percentUsed, endsAt } = time
  room.sessions.set(known.id, {
    ...known,
    stationId: stationId ?? known.stationId,
    state,
    grantedSeconds,
    remainingSeconds,
    elapsedSeconds,
    percentUsed,
    endsAt,
  })
  return NOTHING
}

function applyLog(room: Room, log: Extract<ServerFrame, { type: 'log_added' }>['log']): Followup[] {
  switch (log.action) {
    case 'session.cancelled':
      if (log.sessionId !== undefined) room.sessions.delete(log.sessionId)
      return NOTHING
    case 'session.updated':
      return log.sessionId === undefined ? NOTHING : [{ load: 'session', id: log.sessionId }]
    case 'session.credit_noted':
    case 'session.credit_given':
      return [{ load: 'credits' }]
    case 'user.updated':
    case 'user.deleted':
    case 'user.consent_revoked':
      return log.userId === undefined ? NOTHING : [{ load: 'user', id: log.userId }]
    case 'station.enrolment_requested':
    case 'station.enrolled':
    case 'station.pairing_accepted':
    case 'station.pairing_refused':
      return [{ load: 'pairing-requests' }]
    default:
      return NOTHING
  }
}
