import { Type, type Static } from 'typebox'
import { EntityId, Instant, StationId, closed, listQuery, oneOf } from './schema.ts'

/** `waiting`: nobody has answered; `taken`: an operator is on the way; `closed`: over, and deleted. */
const staffCallStates = ['waiting', 'taken', 'closed'] as const

/** A visitor asks for help at a station. A station has at most one open call. Times are of the server's clock. */
export const StaffCall = closed({
  id: EntityId,
  stationId: StationId,
  /** The session that ran when the visitor called; the call ends with it. */
  sessionId: Type.Optional(EntityId),
  state: oneOf(staffCallStates),
  /** What the visitor typed, if anything; deleted with the call. */
  reason: Type.Optional(Type.String()),
  /** How often the visitor has called until now. */
  times: Type.Integer({ minimum: 1 }),
  calledAt: Instant,
  /** When the visitor called last. */
  renewedAt: Instant,
  takenAt: Type.Optional(Instant),
  /** Who takes care of it, as the journal names them. */
  takenBy: Type.Optional(Type.String()),
})
export type StaffCall = Static<typeof StaffCall>

/** Closed calls are in no list. */
export const StaffCallQuery = closed({
  ...listQuery,
  stationId: Type.Optional(StationId),
  state: Type.Optional(oneOf(['waiting', 'taken'] as const)),
})
export type StaffCallQuery = Static<typeof StaffCallQuery>
