import type { Received, Verdict } from '@escale/broker'
import {
  automationOps,
  instantOf,
  isAutomationOp,
  operatorRoles,
  restApi,
  type Actor,
  type AutomationOp,
  type OperatorRole,
  type OwnAutomationData,
  type OwnAutomationOp,
  type OwnAutomationParams,
} from '@escale/protocol'
import type { Bus } from '../../bus/port.ts'
import type { Clock } from '../../clock.ts'
import { failure, success, type Result } from '../../errors.ts'
import type { AccountService } from '../../features/accounts/index.ts'
import type { Feature } from '../../features/feature.ts'
import type { ServedGroup } from '../../http/endpoints.ts'
import type { Answers } from '../answers/index.ts'
import { createEndpointCalls, type AskedBy } from './endpoint-calls.ts'

export interface AutomationPorts {
  accounts: Pick<AccountService, 'authorised'>
  answers: Pick<Answers, 'answer'>
  /** The REST API: most ops are served by its endpoints. */
  endpoints: readonly ServedGroup[]
  bus: Pick<Bus, 'publish'>
  clock: Clock
}

/** Ops that have no endpoint of their own. */
type OwnHandlers = {
  [K in OwnAutomationOp]: (
    params: OwnAutomationParams<K>,
    by: AskedBy,
  ) => OwnAutomationData<K> | Promise<OwnAutomationData<K>>
}

const { markAvailable, markMaintenance, markOffline } = restApi.stations
const marks = { available: markAvailable, maintenance: markMaintenance, offline: markOffline }

/** Answers the requests of automations on the bus, within the role of their account. */
export function createAutomation({ accounts, answers, endpoints, bus, clock }: AutomationPorts) {
  const calls = createEndpointCalls(endpoints, clock)

  const own: OwnHandlers = {
    time: () => {
      const now = instantOf(clock.nowMs())
      return { receivedAt: now, sentAt: now }
    },
    mark_station: async ({ stationId: id, as, reason }, by) =>
      (await calls.call(marks[as], { id, body: { reason } }, by)) as OwnAutomationData<'mark_station'>,
  }

  async function handle(
    name: AutomationOp,
    params: Record<string, unknown>,
    role: OperatorRole,
    by: AskedBy,
  ): Promise<Result<object>> {
    const op = automationOps[name]
    // The highest role comes first.
    if (operatorRoles.indexOf(role) > operatorRoles.indexOf(op.role)) return failure('forbidden')
    if ('endpoint' in op) return success(await calls.answer(op, params, by))
    return success(await own[name as OwnAutomationOp](params as never, by))
  }

  /** Answers on the account's `response` topic. */
  async function receive(message: Extract<Received, { name: 'automationRequest' }>): Promise<Verdict> {
    const { principal, party, payload, ip } = message
    // Read each time, because the account's role can change while it is connected.
    const account = principal ? await accounts.authorised(principal.id) : undefined
    if (!account) return 'drop'
    const { id, label, role } = account
    const actor: Actor = { type: 'account', id, label }
    const by: AskedBy = { actor, caller: { type: 'account', id, label, role }, ip }
    const response = await answers.answer(party, payload, {
      ops: automationOps,
      isRead: (op) => isAutomationOp(op) && automationOps[op].role === 'viewer',
      handle: (op, params) => handle(op as AutomationOp, params as Record<string, unknown>, role, by),
    })
    void bus.publish('automationResponse', party, response)
    return 'drop'
  }

  return { service: { receive } } satisfies Feature
}
