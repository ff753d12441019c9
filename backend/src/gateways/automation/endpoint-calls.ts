import {
  instantOf,
  type EndpointOperation,
  type Endpoint,
  type Session,
  type SessionTime,
} from '@escale/protocol'
import type { TObject, TSchema } from 'typebox'
import type { Clock } from '../../clock.ts'
import type { Call, ServedGroup } from '../../http/endpoints.ts'
import type { PageOutcome } from '../../http/page.ts'

type Handler = (call: Partial<Call>) => unknown

/** The caller, as an endpoint's handler needs it. */
export type AskedBy = Pick<Call, 'caller' | 'actor' | 'ip'>

/** Calls endpoints for automations, with the same handlers as over HTTP. */
export function createEndpointCalls(groups: readonly ServedGroup[], clock: Clock) {
  const handlers = new Map<Endpoint, Handler>()
  for (const { endpoints, handlers: ofGroup } of groups)
    for (const [name, endpoint] of Object.entries(endpoints)) handlers.set(endpoint, ofGroup[name] as Handler)

  /** @returns the body of the answer; for a page, the count and the items */
  async function call(
    endpoint: Endpoint,
    sent: { id?: unknown; query?: object; body?: object },
    by: AskedBy,
  ): Promise<object> {
    const handle = handlers.get(endpoint)
    if (!handle) throw new Error(`no handler for ${endpoint.method} ${endpoint.path}`)
    const { id, query = {}, body = {} } = sent
    const outcome = await handle({ ...by, params: { id }, query, body, language: 'fr' })
    if (endpoint.page) {
      const { count, rows } = outcome as PageOutcome<unknown>
      return { count, results: rows }
    }
    return (
      (endpoint.sendsVersion ? (outcome as { body: object }).body : (outcome as object | undefined)) ?? {}
    )
  }

  return {
    call,

    /** Answers an op with its endpoint. The params become path, query and body. */
    async answer(op: EndpointOperation, params: Record<string, unknown>, by: AskedBy): Promise<object> {
      const { endpoint, idName, isTimeOnly } = op
      const id = idName && params[idName]
      const parts = { id, query: partOf(params, endpoint.query), body: partOf(params, endpoint.body) }
      const answer = await call(endpoint, parts, by)
      return isTimeOnly ? timeOf(answer as Session, clock.nowMs()) : answer
    },
  }
}

/** The params that a schema has. Unknown params are ignored on the bus. */
function partOf(params: Record<string, unknown>, schema: TSchema | undefined): Record<string, unknown> {
  const { properties = {} } = (schema ?? {}) as Partial<TObject>
  return Object.fromEntries(Object.entries(params).filter(([name]) => Object.hasOwn(properties, name)))
}

function timeOf(session: Session, nowMs: number): SessionTime {
  const { id: sessionId, stationId, state, grantedSeconds, remainingSeconds, elapsedSeconds } = session
  const { percentUsed, endsAt } = session
  return {
    ...{ sessionId, stationId, state, grantedSeconds, remainingSeconds, elapsedSeconds, percentUsed, endsAt },
    sentAt: instantOf(nowMs),
  }
}
