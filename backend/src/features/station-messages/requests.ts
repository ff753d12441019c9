import { createHash } from 'node:crypto'
import {
  instantOf,
  isStationOp,
  stationOps,
  type Actor,
  type Request,
  type Response,
  type StationOp,
  type StationOpData,
  type StationOpParams,
} from '@escale/protocol'
import { Check } from 'typebox/value'
import type { Bus } from '../../bus/port.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { SessionRecord } from '../../db/rows.ts'
import { AppError, failure, messageOf, success, type Result } from '../../errors.ts'
import type { Journal } from '../logs/index.ts'

import type { StationMessages } from './repository.ts'
import { toSessionTime, type CodeValidation, type SessionService } from '../sessions/index.ts'

/** What an op answers: the data, or the refusal. */
type Handlers = {
  [K in StationOp]: (
    params: StationOpParams<K>,
    actor: Actor,
    ip: string,
  ) => Promise<Result<StationOpData<K>>>
}

/** Ops that change nothing: asked twice, they may answer twice. */
const readOps: readonly StationOp[] = ['time', 'get_time']

export interface RequestPorts {
  database: Database
  messages: StationMessages
  sessions: SessionService
  codes: CodeValidation
  journal: Journal
  bus: Bus
  clock: Clock
}

/** What stations ask on the bus, answered there. */
export function createRequests(ports: RequestPorts) {
  const { database, messages, sessions, codes, journal, bus, clock } = ports

  const timeOf = (result: Result<SessionRecord>) =>
    result.ok ? success(toSessionTime(result.value, clock.nowMs())) : result

  /** A session at this very station. */
  async function own(sessionId: string, actor: Actor): Promise<SessionRecord> {
    const session = await sessions.get(sessionId)
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
      await journal.append({
        action: 'station.staff_called',
        level: 'warning',
        actor,
        stationId: actor.id,
        details: { reason },
      })
      return success({})
    },
    report_fault: async ({ kind, details }, actor) => {
      const entry = { action: 'station.fault_reported', level: 'error', actor, stationId: actor.id } as const
      await journal.append({ ...entry, details: { kind, ...details } })
      return success({})
    },
  }

  async function answer({ op, params = {} }: Request, actor: Actor, ip: string): Promise<Result<object>> {
    if (!isStationOp(op)) return failure('unknown-op')
    if (!Check(stationOps[op].params, params)) return failure('invalid-body')
    const handle = handlers[op] as (params: unknown, actor: Actor, ip: string) => Promise<Result<object>>
    try {
      return await handle(params, actor, ip)
    } catch (err) {
      if (err instanceof AppError) return { ok: false, error: err }
      throw err
    }
  }

  /** Acts on a request once: repeated, it gets the answer that it got before. */
  function answerOnce(request: Request, actor: Actor, ip: string): Promise<Response> {
    const contentHash = createHash('sha256')
      .update(JSON.stringify([request.op, request.params ?? {}]))
      .digest('hex')
    return database.write(async () => {
      const known = await messages.findRequest(actor.id, request.id)
      if (known) {
        if (known.contentHash !== contentHash) return toResponse(request.id, failure('id-reused'))
        return JSON.parse(known.response) as Response
      }
      const response = toResponse(request.id, await answer(request, actor, ip))
      const atMs = clock.nowMs()
      await messages.saveRequest({
        stationId: actor.id,
        requestId: request.id,
        contentHash,
        response: JSON.stringify(response),
        atMs,
      })
      return response
    })
  }

  return {
    /** Answers a station's request on its `response` topic. */
    async take(request: Request, actor: Actor, ip: string): Promise<void> {
      const isRead = isStationOp(request.op) && readOps.includes(request.op)
      const response = isRead
        ? toResponse(request.id, await answer(request, actor, ip))
        : await answerOnce(request, actor, ip)
      void bus.publish('response', actor.id, response)
    },
  }
}

function toResponse(id: string, result: Result<object>): Response {
  if (result.ok) return { id, ok: true, data: { ...result.value } }
  const { error } = result
  const { retryAfterSeconds } = error.extras
  return { id, ok: false, error: { code: error.code, message: messageOf(error, 'fr'), retryAfterSeconds } }
}
