import { instantOf, type StaffCall } from '@escale/protocol'
import type { StaffCallRow } from '../../db/rows.ts'

/** A call as REST and the live screens show it; a row is open, as closed calls have none. */
export function toStaffCall(row: StaffCallRow): StaffCall {
  const { id, stationId, sessionId, reason, times, calledAtMs, renewedAtMs, takenAtMs, takenBy } = row
  return {
    id,
    stationId,
    ...(sessionId === null ? {} : { sessionId }),
    state: takenAtMs === null ? 'waiting' : 'taken',
    ...(reason === null ? {} : { reason }),
    times,
    calledAt: instantOf(calledAtMs),
    renewedAt: instantOf(renewedAtMs),
    ...(takenAtMs === null ? {} : { takenAt: instantOf(takenAtMs) }),
    ...(takenBy === null ? {} : { takenBy }),
  }
}

/** A call that is over: what the visitor typed is told to nobody any more. */
export function toClosedCall(row: StaffCallRow): StaffCall {
  return { ...toStaffCall({ ...row, reason: null }), state: 'closed' }
}
