import { instantOf, type Session, type SessionTime } from '@escale/protocol'
import type { SessionRecord } from '../../db/rows.ts'
import { memoise } from '../../domain/memoise.ts'
import { endsAtMsOf, sessionTimeAt } from '../../domain/session.ts'

const optionalInstant = (unixMs: number | undefined) => (unixMs === undefined ? undefined : instantOf(unixMs))

const shownLast = new WeakMap<SessionRecord, Session>()

/** A session as REST returns it, with its time at `nowMs`. Returns the same object while nothing has changed. */
export function toSession(session: SessionRecord, nowMs: number): Session {
  const time = sessionTimeAt(session, nowMs)
  const shown = shownLast.get(session)
  if (shown?.elapsedSeconds === time.elapsedSeconds) return shown
  const made = makeSession(session, time)
  shownLast.set(session, made)
  return made
}

export const sessionJson = memoise((session: Session) => JSON.stringify(session))

function makeSession(session: SessionRecord, time: ReturnType<typeof sessionTimeAt>): Session {
  const { id, userId, stationId, state, grantedSeconds, creditSeconds, endReason, createdBy } = session
  return {
    id,
    userId,
    stationId,
    state,
    grantedSeconds,
    ...time,
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

/** A session's time for the bus and the live screens. */
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
