import type { StaffCall } from '@escale/protocol'
import { answerOf } from '../../db/nulls.ts'
import type { StaffCallRow } from '../../db/rows.ts'

/** A call as REST and the live screens show it. Every row is an open call, because closed calls are deleted. */
export function toStaffCall(row: StaffCallRow): StaffCall {
  const { id, stationId, sessionId, reason, times, calledAtMs, renewedAtMs, takenAtMs, takenBy } = row
  return {
    // In this order, because two calls are compared as JSON.
    ...answerOf({ id, stationId, sessionId, reason, times, calledAtMs, renewedAtMs, takenAtMs, takenBy }),
    state: takenAtMs === null ? 'waiting' : 'taken',
  }
}

/** A closed call, without the visitor's text. */
export function toClosedCall(row: StaffCallRow): StaffCall {
  return { ...toStaffCall({ ...row, reason: null }), state: 'closed' }
}
