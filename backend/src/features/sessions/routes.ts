import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  CreatedSession,
  EntityId,
  Session,
  SessionInput,
  SessionPage,
  SessionQuery,
  SessionReplacement,
  SessionStats,
} from '@escale/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../clock.ts'
import type { SessionRecord } from '../../db/rows.ts'
import { expectedVersionOf, sendVersioned, versioned } from '../../http/etag.ts'
import { filterOf, pageAnswer, type PageQuery, type Rows } from '../../http/page.ts'
import { actorOf } from '../auth/index.ts'
import type { SessionGrants } from './grants.ts'
import type { SessionService } from './service.ts'
import { toSession } from './view.ts'

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

export interface SessionRoutePorts {
  sessions: SessionService
  grants: SessionGrants
  clock: Clock
}

/** Sessions as a collection: granted, looked for, changed while they wait, cancelled. */
export function sessionRoutes({ sessions, grants, clock }: SessionRoutePorts): FastifyPluginAsyncTypebox {
  const page = (request: FastifyRequest, query: PageQuery, rows: Rows<SessionRecord>) => {
    const nowMs = clock.nowMs()
    return pageAnswer(request, query, rows, (row) => toSession(row, nowMs))
  }
  const send = (reply: FastifyReply, session: SessionRecord) =>
    sendVersioned(reply, session.version, toSession(session, clock.nowMs()))

  return async (app) => {
    app.get(
      '/',
      {
        config: read,
        schema: { tags, summary: 'Sessions', querystring: SessionQuery, response: { 200: SessionPage } },
      },
      async (request) => {
        return page(request, request.query, await sessions.list(filterOf(request.query), request.query))
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
        return sendVersioned(reply.code(201), session.version, body)
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
        const filter = { ...filterOf(request.query), states: ['active', 'suspended'] as const }
        return page(request, request.query, await sessions.list(filter, request.query))
      },
    )
    app.get(
      '/stats',
      { config: read, schema: { tags, summary: 'Counts', response: { 200: SessionStats } } },
      () => sessions.stats(),
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
  }
}
