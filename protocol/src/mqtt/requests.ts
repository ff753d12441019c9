import { Type, type Static, type TSchema } from 'typebox'
import { Details, EntityId, Instant } from '../schema.ts'
import { SessionTime, ValidatedCode } from '../sessions.ts'
import { line, lineOrNothing } from '../text.ts'

const Nothing = Type.Object({})

/** The ops of stations on their `request` topic: the schemas of `params` and of the answer's `data`. */
export const stationOps = {
  time: { params: Nothing, data: Type.Object({ receivedAt: Instant, sentAt: Instant }) },
  validate_code: {
    params: Type.Object({ code: Type.String({ minLength: 1, maxLength: 64 }) }),
    data: ValidatedCode,
  },
  start_session: { params: Type.Object({ sessionId: EntityId }), data: SessionTime },
  get_time: { params: Type.Object({ sessionId: EntityId }), data: SessionTime },
  end_session: { params: Type.Object({ sessionId: EntityId }), data: SessionTime },
  suspend_session: { params: Type.Object({ sessionId: EntityId }), data: SessionTime },
  call_staff: {
    params: Type.Object({ reason: Type.Optional(lineOrNothing(500)) }),
    data: Nothing,
  },
  report_fault: {
    params: Type.Object({
      kind: line(100),
      details: Type.Optional(Details),
    }),
    data: Nothing,
  },
} as const satisfies Record<string, { params: TSchema; data: TSchema }>

export type StationOp = keyof typeof stationOps
export type StationOpParams<K extends StationOp> = Static<(typeof stationOps)[K]['params']>
export type StationOpData<K extends StationOp> = Static<(typeof stationOps)[K]['data']>

export function isStationOp(op: string): op is StationOp {
  return Object.hasOwn(stationOps, op)
}
