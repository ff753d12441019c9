import { Type, type Static, type TSchema } from 'typebox'
import type { OperatorRole } from '../auth.ts'
import { EntityId, Instant, Seconds, StationId, listQuery, oneOf } from '../schema.ts'
import { CommandInput, SentCommands } from '../commands.ts'
import {
  AddTimeInput,
  CreatedSession,
  ReasonInput,
  Session,
  SessionInput,
  SessionTime,
  ValidateCodeInput,
  ValidatedCode,
  sessionStates,
} from '../sessions.ts'
import { Station, stationStates } from '../stations.ts'

const { page, pageSize, search } = listQuery
const listOf = <const T extends TSchema>(item: T) =>
  Type.Object({ count: Seconds, results: Type.Array(item) })
const ofSession = Type.Object({ sessionId: EntityId })
const ofStation = Type.Object({ stationId: StationId })

/**
 * What an automation may ask on its `request` topic: the lowest role of its account that may, the schema of `params`,
 * and of the answer's `data`. A viewer's ops change nothing; the others act once for each request id.
 */
export const automationOps = {
  time: {
    role: 'viewer',
    params: Type.Object({}),
    data: Type.Object({ receivedAt: Instant, sentAt: Instant }),
  },
  list_stations: {
    role: 'viewer',
    params: Type.Object({
      page,
      pageSize,
      search,
      state: Type.Optional(oneOf(stationStates)),
      location: Type.Optional(Type.String({ maxLength: 100 })),
    }),
    data: listOf(Station),
  },
  get_station: { role: 'viewer', params: ofStation, data: Station },
  list_sessions: {
    role: 'viewer',
    params: Type.Object({
      page,
      pageSize,
      state: Type.Optional(oneOf(sessionStates)),
      stationId: Type.Optional(StationId),
      userId: Type.Optional(EntityId),
    }),
    data: listOf(Session),
  },
  get_session: { role: 'viewer', params: ofSession, data: Session },
  get_time: { role: 'viewer', params: ofSession, data: SessionTime },
  create_session: { role: 'operator', params: Type.Object(SessionInput.properties), data: CreatedSession },
  validate_code: {
    role: 'operator',
    params: Type.Object(ValidateCodeInput.properties),
    data: ValidatedCode,
  },
  start_session: {
    role: 'operator',
    params: Type.Object({ sessionId: EntityId, stationId: Type.Optional(StationId) }),
    data: SessionTime,
  },
  add_time: {
    role: 'operator',
    params: Type.Object({ sessionId: EntityId, ...AddTimeInput.properties }),
    data: SessionTime,
  },
  suspend_session: { role: 'operator', params: ofSession, data: SessionTime },
  resume_session: { role: 'operator', params: ofSession, data: SessionTime },
  terminate_session: {
    role: 'operator',
    params: Type.Object({ sessionId: EntityId, ...ReasonInput.properties }),
    data: SessionTime,
  },
  cancel_session: { role: 'operator', params: ofSession, data: Type.Object({}) },
  mark_station: {
    role: 'operator',
    params: Type.Object({
      stationId: StationId,
      as: oneOf(['available', 'maintenance', 'offline'] as const),
      ...ReasonInput.properties,
    }),
    data: Station,
  },
  send_command: {
    role: 'operator',
    params: Type.Object({ stationId: StationId, ...CommandInput.properties }),
    data: SentCommands,
  },
} as const satisfies Record<string, { role: OperatorRole; params: TSchema; data: TSchema }>

export type AutomationOp = keyof typeof automationOps
export type AutomationOpParams<K extends AutomationOp> = Static<(typeof automationOps)[K]['params']>
export type AutomationOpData<K extends AutomationOp> = Static<(typeof automationOps)[K]['data']>

export function isAutomationOp(op: string): op is AutomationOp {
  return Object.hasOwn(automationOps, op)
}
