import { Type, type Static, type TObject, type TSchema } from 'typebox'
import type { OperatorRole } from '../auth.ts'
import type { Endpoint } from '../rest/endpoint.ts'
import { restApi } from '../rest/index.ts'
import { Instant, StationId, oneOf } from '../schema.ts'
import { ReasonInput, SessionTime } from '../sessions.ts'
import { Station } from '../stations.ts'

/** An operation that an automation may request on its `request` topic. */
export interface AutomationOperation {
  /** The lowest allowed role of the account. Viewers' ops change nothing; others are executed once for each request id. */
  role: OperatorRole
  params: TObject
  /** Schema of the answer's `data`. */
  data: TSchema
}

/** An op that is served by an endpoint of the REST API. */
export interface EndpointOperation extends AutomationOperation {
  endpoint: Endpoint
  /** Name on the bus of the `id` in the endpoint's path. */
  idName?: 'sessionId' | 'stationId'
  /** The endpoint answers the whole session, the bus only its time. */
  isTimeOnly?: boolean
}

/** Derives role, params and answer of an op from its endpoint. */
function asEndpoint(
  endpoint: Endpoint & { access: OperatorRole },
  { idName, isTimeOnly }: Pick<EndpointOperation, 'idName' | 'isTimeOnly'> = {},
): EndpointOperation {
  const { access: role, params, query, body } = endpoint
  const id = idName && params ? { [idName]: params.properties['id'] as TSchema } : {}
  return {
    role,
    params: Type.Object({ ...id, ...fieldsOf(query), ...fieldsOf(body) }),
    data: isTimeOnly ? SessionTime : dataOf(endpoint),
    endpoint,
    ...(idName && { idName }),
    ...(isTimeOnly && { isTimeOnly }),
  }
}

const fieldsOf = (schema: TSchema | undefined) => (schema as TObject | undefined)?.properties ?? {}

/** On the bus, a list has no URLs of other pages, and an answer without a body is an empty object. */
function dataOf({ page, answers = {} }: Endpoint): TSchema {
  const { count, results } = fieldsOf(page)
  if (count && results) return Type.Object({ count, results })
  const [[status, answer] = []] = Object.entries(answers)
  return answer === undefined || status === '204' ? Type.Object({}) : answer
}

const { sessions, stations, commands } = restApi
const ofSession = { idName: 'sessionId' } as const
const ofStation = { idName: 'stationId' } as const
const timeOfSession = { ...ofSession, isTimeOnly: true } as const

/** Ops that have no endpoint of their own. */
const ownOps = {
  time: {
    role: 'viewer',
    params: Type.Object({}),
    data: Type.Object({ receivedAt: Instant, sentAt: Instant }),
  },
  /** One op for three endpoints. */
  mark_station: {
    role: 'operator',
    params: Type.Object({
      stationId: StationId,
      as: oneOf(['available', 'maintenance', 'offline'] as const),
      ...ReasonInput.properties,
    }),
    data: Station,
  },
} as const satisfies Record<string, AutomationOperation>

export const automationOps = {
  time: ownOps.time,
  list_stations: asEndpoint(stations.list),
  get_station: asEndpoint(stations.read, ofStation),
  list_sessions: asEndpoint(sessions.list),
  get_session: asEndpoint(sessions.read, ofSession),
  get_time: asEndpoint(sessions.timeRemaining, ofSession),
  create_session: asEndpoint(sessions.create),
  validate_code: asEndpoint(sessions.validateCode),
  start_session: asEndpoint(sessions.start, timeOfSession),
  add_time: asEndpoint(sessions.addTime, timeOfSession),
  suspend_session: asEndpoint(sessions.suspend, timeOfSession),
  resume_session: asEndpoint(sessions.resume, timeOfSession),
  terminate_session: asEndpoint(sessions.terminate, timeOfSession),
  cancel_session: asEndpoint(sessions.cancel, ofSession),
  mark_station: ownOps.mark_station,
  send_command: asEndpoint(commands.send, ofStation),
} as const satisfies Record<string, AutomationOperation>

export type AutomationOp = keyof typeof automationOps
export type OwnAutomationOp = keyof typeof ownOps
export type OwnAutomationParams<K extends OwnAutomationOp> = Static<(typeof ownOps)[K]['params']>
export type OwnAutomationData<K extends OwnAutomationOp> = Static<(typeof ownOps)[K]['data']>

export function isAutomationOp(op: string): op is AutomationOp {
  return Object.hasOwn(automationOps, op)
}
