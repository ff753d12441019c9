import { instantOf, type StaffCall } from '@escale/protocol'
import type { StaffCallRow } from '../../db/rows.ts'

/** A call as REST and the live screens show it. Every row is an open call, because closed calls are deleted. */
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

/** A closed call, without the visitor's text. */
export function toClosedCall(row: StaffCallRow): StaffCall {
  return { ...toStaffCall({ ...row, reason: null }), state: 'closed' }
}
