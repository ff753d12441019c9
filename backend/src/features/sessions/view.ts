import { instantOf, type Session, type SessionTime } from '@escale/protocol'
import type { SessionRecord } from '../../db/rows.ts'
import { endsAtMsOf, sessionTimeAt } from '../../domain/session.ts'

const optionalInstant = (unixMs: number | undefined) => (unixMs === undefined ? undefined : instantOf(unixMs))

/** A session as REST answers it, its time as of `nowMs`. */
export function toSession(session: SessionRecord, nowMs: number): Session {
  const { id, userId, stationId, state, grantedSeconds, creditSeconds, endReason, createdBy } = session
  return {
    id,
    userId,
    stationId,
    state,
    grantedSeconds,
    ...sessionTimeAt(session, nowMs),
    creditSeconds,
    codeExpiresAt: state === 'pending' ? instantOf(session.codeExpiresAtMs) : undefined,
    startedAt: optionalInstant(session.startedAtMs),
    endsAt: optionalInstant(endsAtMsOf(session)),
    suspendedAt: optionalInstant(session.suspendedAtMs),
    endedAt: optionalInstant(session.endedAtMs),
    endReason,
    createdBy,
    mayOutliveClosing: session.mayOutliveClosing,
    createdAt: instantOf(session.createdAtMs),
    updatedAt: instantOf(session.updatedAtMs),
  }
}

/** A session's time as the bus and the live screens are told it. */
export function toSessionTime(session: SessionRecord, nowMs: number): SessionTime {
  return {
    sessionId: session.id,
    stationId: session.stationId,
    state: session.state,
    grantedSeconds: session.grantedSeconds,
    ...sessionTimeAt(session, nowMs),
    endsAt: optionalInstant(endsAtMsOf(session)),
    sentAt: instantOf(nowMs),
  }
}
