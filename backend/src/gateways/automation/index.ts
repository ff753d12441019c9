import type { Received, Verdict } from '@escale/broker'
import {
  automationOps,
  instantOf,
  isAutomationOp,
  operatorRoles,
  secondsOfMinutes,
  type Actor,
  type AutomationOp,
  type AutomationOpData,
  type AutomationOpParams,
  type OperatorRole,
} from '@escale/protocol'
import type { Bus } from '../../bus/port.ts'
import type { Clock } from '../../clock.ts'
import type { SessionRecord } from '../../db/rows.ts'
import { failure, success, type Result } from '../../errors.ts'
import type { AccountService } from '../../features/accounts/index.ts'
import type { CommandService } from '../../features/commands/index.ts'
import type { Answers } from '../answers/index.ts'
import {
  toSession,
  toSessionTime,
  type CodeValidation,
  type SessionGrants,
  type SessionService,
} from '../../features/sessions/index.ts'
import type { StationService } from '../../features/stations/index.ts'

/** What an op answers: the data, or the refusal. */
type Handlers = {
  [K in AutomationOp]: (
    params: AutomationOpParams<K>,
    actor: Actor,
    ip: string,
  ) => Promise<Result<AutomationOpData<K>>>
}

export interface AutomationPorts {
  accounts: Pick<AccountService, 'authorised'>
  answers: Answers
  sessions: SessionService
  grants: SessionGrants
  codes: CodeValidation
  stations: Pick<StationService, 'list' | 'view' | 'mark'>
  commands: Pick<CommandService, 'send'>
  bus: Bus
  clock: Clock
}

/** What automations ask on the bus, answered there: an operator's ops, within the role of their account. */
export function createAutomationIntake(ports: AutomationPorts) {
  const { accounts, answers, sessions, grants, codes, stations, commands, bus, clock } = ports

  const timeOf = (result: Result<SessionRecord>) =>
    result.ok ? success(toSessionTime(result.value, clock.nowMs())) : result
  const shown = (session: SessionRecord) => toSession(session, clock.nowMs())
  const station = async (id: string) => success((await stations.view(id)).station)

  const handlers: Handlers = {
    time: () => {
      const now = instantOf(clock.nowMs())
      return Promise.resolve(success({ receivedAt: now, sentAt: now }))
    },
    list_stations: async ({ page, pageSize, search, state, location }) => {
      const { count, rows } = await stations.list({ search, state, location }, { page, pageSize })
      return success({ count, results: rows })
    },
    get_station: ({ stationId }) => station(stationId),
    list_sessions: async ({ page, pageSize, state, stationId, userId }) => {
      const { count, rows } = await sessions.list({ state, stationId, userId }, { page, pageSize })
      return success({ count, results: rows.map(shown) })
    },
    get_session: async ({ sessionId }) => success(shown(await sessions.get(sessionId))),
    get_time: async ({ sessionId }) => timeOf(success(await sessions.get(sessionId))),
    create_session: async (input, actor) => {
      const { session, accessCode } = await grants.create(input, actor)
      return success({ ...shown(session), accessCode })
    },
    validate_code: ({ code, stationId }, actor, ip) => codes.validate({ code, stationId, ip, actor }),
    start_session: async ({ sessionId, stationId }, actor) =>
      timeOf(await sessions.start(sessionId, stationId, actor)),
    add_time: async ({ sessionId, minutes }, actor) => {
      const seconds = secondsOfMinutes(minutes)
      return timeOf(await sessions.change(sessionId, { type: 'addTime', seconds }, actor))
    },
    suspend_session: async ({ sessionId }, actor) =>
      timeOf(await sessions.change(sessionId, { type: 'suspend' }, actor)),
    resume_session: async ({ sessionId }, actor) =>
      timeOf(await sessions.change(sessionId, { type: 'resume' }, actor)),
    terminate_session: async ({ sessionId, reason }, actor) => {
      const input = { type: 'terminate', reason: 'terminated' } as const
      return timeOf(await sessions.change(sessionId, input, actor, { texts: { reason } }))
    },
    cancel_session: async ({ sessionId }, actor) => {
      await grants.cancel(sessionId, actor)
      return success({})
    },
    mark_station: async ({ stationId, as, reason }, actor) => {
      await stations.mark(stationId, actor, as, { reason })
      return station(stationId)
    },
    send_command: async ({ stationId, op, params, expiresInSeconds }, actor) => {
      const sent = await commands.send({ op, params, expiresInSeconds }, { stationId }, actor)
      return success({ commands: sent.map(({ id }) => ({ id, stationId })) })
    },
  }

  function handle(op: AutomationOp, params: unknown, role: OperatorRole, actor: Actor, ip: string) {
    // Roles are listed with the highest first.
    if (operatorRoles.indexOf(role) > operatorRoles.indexOf(automationOps[op].role))
      return Promise.resolve(failure('forbidden'))
    const act = handlers[op] as (params: unknown, actor: Actor, ip: string) => Promise<Result<object>>
    return act(params, actor, ip)
  }

  return async function receive(message: Extract<Received, { name: 'automationRequest' }>): Promise<Verdict> {
    const { principal, party, payload, ip } = message
    // Asked each time: what the account may do can have changed since it connected.
    const account = principal ? await accounts.authorised(principal.id) : undefined
    if (!account) return 'drop'
    const actor: Actor = { type: 'account', id: account.id, label: account.label }
    const response = await answers.answer(party, payload, {
      ops: automationOps,
      isRead: (op) => isAutomationOp(op) && automationOps[op].role === 'viewer',
      handle: (op, params) => handle(op as AutomationOp, params, account.role, actor, ip),
    })
    void bus.publish('automationResponse', party, response)
    return 'drop'
  }
}
