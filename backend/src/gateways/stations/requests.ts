import {
  instantOf,
  isStationOp,
  stationOps,
  type Actor,
  type Request,
  type StationOp,
  type StationOpData,
  type StationOpParams,
} from '@escale/protocol'
import type { Bus } from '../../bus/port.ts'
import type { Clock } from '../../clock.ts'
import type { SessionRecord } from '../../db/rows.ts'
import { AppError, failure, success, type Result } from '../../errors.ts'
import type { Journal } from '../../features/logs/index.ts'
import type { RateKind, Rates } from '../../features/rates/index.ts'
import { toResponse, type Answers } from '../answers/index.ts'
import { toSessionTime, type CodeValidation, type SessionService } from '../../features/sessions/index.ts'
import type { StaffCalls } from '../../features/staff-calls/index.ts'

/** The handlers of the ops: each returns data or a failure. */
type Handlers = {
  [K in StationOp]: (
    params: StationOpParams<K>,
    actor: Actor,
    ip: string,
  ) => Promise<Result<StationOpData<K>>>
}

/** Ops that change nothing. Their answers are not stored. */
const readOps: readonly StationOp[] = ['time', 'get_time']

export interface RequestPorts {
  answers: Answers
  sessions: SessionService
  codes: CodeValidation
  calls: Pick<StaffCalls, 'call'>
  rates: Pick<Rates, 'allows' | 'retryAfterSeconds'>
  journal: Journal
  bus: Bus
  clock: Clock
}

/** Answers the requests of stations on the bus. */
export function createRequests(ports: RequestPorts) {
  const { answers, sessions, codes, calls, rates, journal, bus, clock } = ports

  const timeOf = (result: Result<SessionRecord>) =>
    result.ok ? success(toSessionTime(result.value, clock.nowMs())) : result

  /** The session, which must be at the calling station. */
  async function own(sessionId: string, actor: Actor): Promise<SessionRecord> {
    const session = await sessions.find(sessionId)
    if (session.stationId !== actor.id) throw new AppError('not-found')
    return session
  }

  const handlers: Handlers = {
    time: () => {
      const now = instantOf(clock.nowMs())
      return Promise.resolve(success({ receivedAt: now, sentAt: now }))
    },
    validate_code: ({ code }, actor, ip) => codes.validate({ code, stationId: actor.id, ip, actor }),
    start_session: async ({ sessionId }, actor) => timeOf(await sessions.start(sessionId, undefined, actor)),
    get_time: async ({ sessionId }, actor) => timeOf(success(await own(sessionId, actor))),
    end_session: async ({ sessionId }, actor) => {
      const session = await own(sessionId, actor)
      if (session.state === 'ended') return timeOf(success(session))
      return timeOf(await sessions.change(sessionId, { type: 'terminate', reason: 'logged_out' }, actor))
    },
    suspend_session: async ({ sessionId }, actor) => {
      const session = await own(sessionId, actor)
      if (session.state === 'suspended') return timeOf(success(session))
      return timeOf(await sessions.change(sessionId, { type: 'suspend' }, actor))
    },
    call_staff: async ({ reason }, actor) => {
      await calls.call(actor.id, reason, actor)
      return success({})
    },
    report_fault: async ({ kind, details }, actor) => {
      const entry = { action: 'station.fault_reported', level: 'error', actor, stationId: actor.id } as const
      await journal.append({ ...entry, texts: { kind, ...details } })
      return success({})
    },
  }

  const isRead = (op: string) => isStationOp(op) && readOps.includes(op)

  /** A request above the station's rate limit is refused before anything is written to the database. */
  function refusalByRate(op: string, stationId: string): Result<never> | undefined {
    const kinds: RateKind[] = ['request']
    if (op === 'report_fault') kinds.push('fault')
    if (op === 'call_staff') kinds.push('staff_call')
    const over = kinds.find((kind) => !rates.allows(stationId, kind))
    if (over === undefined) return undefined
    return failure('station-throttled', { retryAfterSeconds: rates.retryAfterSeconds(over) })
  }

  return {
    /** Answers a station's request on its `response` topic. */
    async take(request: Request, actor: Actor, ip: string): Promise<void> {
      const refusal = isRead(request.op) ? undefined : refusalByRate(request.op, actor.id)
      if (refusal) {
        void bus.publish('response', actor.id, toResponse(request.id, refusal))
        return
      }
      const response = await answers.answer(actor.id, request, {
        ops: stationOps,
        isRead,
        handle: (op, params) => {
          const act = handlers[op as StationOp] as (
            params: unknown,
            actor: Actor,
            ip: string,
          ) => Promise<Result<object>>
          return act(params, actor, ip)
        },
      })
      void bus.publish('response', actor.id, response)
    },
  }
}
