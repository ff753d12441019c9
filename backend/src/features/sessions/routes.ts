import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AddTimeInput,
  CreatedSession,
  EntityId,
  GiveCreditInput,
  ReasonInput,
  Session,
  SessionInput,
  SessionPage,
  SessionQuery,
  SessionReplacement,
  SessionStats,
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
import { pageAnswer, type PageQuery, type Rows } from '../../http/page.ts'
import { actorOf } from '../auth/index.ts'
import type { CodeValidation } from './codes.ts'
import type { SessionCredits } from './credits.ts'
import type { SessionGrants } from './grants.ts'
import type { SessionService } from './service.ts'
import { toSession, toSessionTime } from './view.ts'

const read = { access: 'viewer' } as const
const write = { access: 'operator' } as const
const tags = ['sessions']
const params = Type.Object({ id: EntityId })
const one = { 200: Session }
const grantErrors = [
  'station-maintenance',
  'anonymous-not-allowed',
  'consent-missing',
  'quota-reached',
  'session-active',
] as const
const startErrors = [
  'session-not-pending',
  'session-ended',
  'session-active',
  'station-maintenance',
  'station-required',
  'wrong-station',
  'code-not-validated',
  'consent-missing',
  'site-closed',
] as const

export interface SessionRoutePorts {
  sessions: SessionService
  grants: SessionGrants
  credits: SessionCredits
  codes: CodeValidation
  clock: Clock
}

type OneSession = FastifyRequest<{ Params: { id: string } }>

export function sessionRoutes({
  sessions,
  grants,
  credits,
  codes,
  clock,
}: SessionRoutePorts): FastifyPluginAsyncTypebox {
  const page = (request: FastifyRequest, query: PageQuery, { count, rows }: Rows<SessionRecord>) => {
    const nowMs = clock.nowMs()
    return pageAnswer(request, query, { count, rows: rows.map((row) => toSession(row, nowMs)) })
  }
  const send = (reply: FastifyReply, session: SessionRecord) =>
    sendVersioned(reply, session.version, toSession(session, clock.nowMs()))

  /** Answers an action on one session, tried again when another write came first and no version was asked for. */
  const act = async (
    request: OneSession,
    reply: FastifyReply,
    input: SessionChange,
    details?: { reason: string },
  ) => {
    const options = { expectedVersion: expectedVersionOf(request), details }
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
    app.get(
      '/',
      {
        config: read,
        schema: { tags, summary: 'Sessions', querystring: SessionQuery, response: { 200: SessionPage } },
      },
      async (request) => {
        const { page: _page, pageSize: _size, ordering: _order, ...filter } = request.query
        return page(request, request.query, await sessions.list(filter, request.query))
      },
    )
    app.post(
      '/',
      {
        config: write,
        schema: {
          tags,
          summary: 'Grant a session',
          sendsVersion: true,
          errors: grantErrors,
          body: SessionInput,
          response: { 201: CreatedSession },
        },
      },
      async (request, reply) => {
        const { session, accessCode } = await grants.create(request.body, actorOf(request))
        const body = { ...toSession(session, clock.nowMs()), accessCode }
        return sendVersioned(reply.code(201).header('cache-control', 'no-store'), session.version, body)
      },
    )
    app.get(
      '/actives',
      {
        config: read,
        schema: {
          tags,
          summary: 'Sessions active or suspended',
          querystring: SessionQuery,
          response: { 200: SessionPage },
        },
      },
      async (request) => {
        const { page: _page, pageSize: _size, ordering: _order, ...query } = request.query
        const filter = { ...query, states: ['active', 'suspended'] as const }
        return page(request, request.query, await sessions.list(filter, request.query))
      },
    )
    app.get(
      '/stats',
      { config: read, schema: { tags, summary: 'Counts', response: { 200: SessionStats } } },
      () => sessions.stats(),
    )
    app.post(
      '/validate_code',
      {
        config: { ...write, isOpenToStations: true },
        schema: {
          tags,
          summary: 'What a typed code opens',
          errors: ['code-refused', 'code-throttled', 'wrong-station'],
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
    app.get(
      '/:id',
      { config: read, schema: { tags, summary: 'One session', sendsVersion: true, params, response: one } },
      async (request, reply) => send(reply, await sessions.get(request.params.id)),
    )
    app.put(
      '/:id',
      {
        config: write,
        schema: {
          tags,
          summary: 'Change a pending session',
          ...versioned,
          errors: ['session-not-pending', ...grantErrors],
          params,
          body: SessionReplacement,
          response: one,
        },
      },
      async (request, reply) => {
        const { id } = request.params
        return send(
          reply,
          await grants.replace(id, request.body, actorOf(request), expectedVersionOf(request)),
        )
      },
    )
    app.delete(
      '/:id',
      {
        config: write,
        schema: {
          tags,
          summary: 'Cancel a pending session',
          takesVersion: true,
          errors: ['session-not-pending'],
          params,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        await grants.cancel(request.params.id, actorOf(request), expectedVersionOf(request))
        return reply.code(204).send(null)
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
          reason ? { reason } : undefined,
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
