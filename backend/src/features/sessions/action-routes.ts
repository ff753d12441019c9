import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AddTimeInput,
  EntityId,
  GiveCreditInput,
  ReasonInput,
  Session,
  SessionTime,
  StartInput,
  ValidateCodeInput,
  ValidatedCode,
  closed,
} from '@escale/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../clock.ts'
import type { SessionRecord } from '../../db/rows.ts'
import type { SessionInput as SessionChange } from '../../domain/session.ts'
import { AppError, unwrap } from '../../errors.ts'
import { expectedVersionOf, sendVersioned, versioned } from '../../http/etag.ts'
import { actorOf } from '../auth/index.ts'
import type { CodeValidation } from './codes.ts'
import type { SessionCredits } from './credits.ts'
import type { SessionService } from './service.ts'
import { toSession, toSessionTime } from './view.ts'

const read = { access: 'viewer' } as const
const write = { access: 'operator' } as const
const tags = ['sessions']
const params = Type.Object({ id: EntityId })
const one = { 200: Session }
const startErrors = [
  'session-not-pending',
  'session-ended',
  'session-active',
  'station-maintenance',
  'station-conflict',
  'station-required',
  'wrong-station',
  'code-not-validated',
  'consent-missing',
  'site-closed',
] as const

export interface SessionActionPorts {
  sessions: SessionService
  credits: SessionCredits
  codes: CodeValidation
  clock: Clock
}

type OneSession = FastifyRequest<{ Params: { id: string } }>

/** What is done with a session: its code typed, started, given time, suspended, ended; and its time told. */
export function sessionActionRoutes({
  sessions,
  credits,
  codes,
  clock,
}: SessionActionPorts): FastifyPluginAsyncTypebox {
  const send = (reply: FastifyReply, session: SessionRecord) =>
    sendVersioned(reply, session.version, toSession(session, clock.nowMs()))

  /** Answers an action on one session, tried again when another write came first and no version was asked for. */
  const act = async (
    request: OneSession,
    reply: FastifyReply,
    input: SessionChange,
    texts?: { reason?: string },
  ) => {
    const options = { expectedVersion: expectedVersionOf(request), texts }
    return send(reply, unwrap(await sessions.change(request.params.id, input, actorOf(request), options)))
  }

  /** A station reads its own session only. */
  const readable = async (request: OneSession): Promise<SessionRecord> => {
    const session = await sessions.get(request.params.id)
    const { caller } = request
    if (caller?.type === 'station' && session.stationId !== caller.id) throw new AppError('not-found')
    return session
  }

  return async (app) => {
    app.post(
      '/validate_code',
      {
        config: { ...write, isOpenToStations: true },
        schema: {
          tags,
          summary: 'What a typed code opens',
          errors: ['code-refused', 'code-throttled', 'wrong-station', 'station-conflict'],
          body: ValidateCodeInput,
          response: { 200: ValidatedCode },
        },
      },
      async (request) => {
        const actor = actorOf(request)
        const stationId = actor.type === 'station' ? actor.id : request.body.stationId
        const attempt = { code: request.body.code, stationId, ip: request.ip, actor }
        return unwrap(await codes.validate(attempt))
      },
    )
    app.post(
      '/:id/start',
      {
        config: { ...write, isOpenToStations: true },
        schema: {
          tags,
          summary: 'Start at a station',
          ...versioned,
          errors: startErrors,
          params,
          body: StartInput,
          response: one,
        },
      },
      async (request, reply) => {
        const { params: one, body } = request
        const expectedVersion = expectedVersionOf(request)
        const started = await sessions.start(one.id, body.stationId, actorOf(request), expectedVersion)
        return send(reply, unwrap(started))
      },
    )
    app.post(
      '/:id/add_time',
      {
        config: write,
        schema: {
          tags,
          summary: 'Add or take away minutes',
          ...versioned,
          errors: ['session-ended'],
          params,
          body: AddTimeInput,
          response: one,
        },
      },
      (request, reply) => act(request, reply, { type: 'addTime', seconds: request.body.minutes * 60 }),
    )
    app.post(
      '/:id/terminate',
      {
        config: write,
        schema: {
          tags,
          summary: 'End now',
          ...versioned,
          errors: ['session-ended'],
          params,
          body: ReasonInput,
          response: one,
        },
      },
      (request, reply) => {
        const { reason } = request.body
        return act(
          request,
          reply,
          { type: 'terminate', reason: 'terminated' },
          { reason: reason || undefined },
        )
      },
    )
    app.post(
      '/:id/give_credit',
      {
        config: write,
        schema: {
          tags,
          summary: 'Give back what a failure took',
          ...versioned,
          errors: ['no-credit', 'no-session-for-credit', 'session-ended'],
          params,
          body: GiveCreditInput,
          response: one,
        },
      },
      async (request, reply) => {
        const { params: of, body } = request
        const expectedVersion = expectedVersionOf(request)
        return send(
          reply,
          unwrap(await credits.give(of.id, body.toSessionId, actorOf(request), expectedVersion)),
        )
      },
    )
    for (const [type, summary, refusal] of [
      ['suspend', 'Stop the countdown', 'session-not-active'],
      ['resume', 'Continue the countdown', 'session-not-suspended'],
    ] as const) {
      app.post(
        `/:id/${type}`,
        {
          config: write,
          schema: {
            tags,
            summary,
            ...versioned,
            errors: ['session-ended', refusal],
            params,
            body: closed({}),
            response: one,
          },
        },
        (request, reply) => act(request, reply, { type }),
      )
    }
    app.get(
      '/:id/time_remaining',
      {
        config: { ...read, isOpenToStations: true },
        schema: { tags, summary: 'Time as of now', params, response: { 200: SessionTime } },
      },
      async (request) => toSessionTime(await readable(request), clock.nowMs()),
    )
  }
}
