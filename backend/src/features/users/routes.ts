import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  CanCreateSession,
  EntityId,
  SessionPage,
  SessionQuery,
  User,
  UserInput,
  UserPage,
  UserQuery,
  UserReplacement,
  UserStats,
  closed,
} from '@escale/protocol'
import { Type } from 'typebox'
import type { Clock } from '../../clock.ts'
import { startOfDayMs } from '../../domain/quota.ts'
import { expectedVersionOf, sendVersioned, versioned } from '../../http/etag.ts'
import { filterOf, windowOf } from '../../db/page-window.ts'
import { pageAnswer } from '../../http/page.ts'
import { actorOf } from '../../http/guard.ts'
import { toSession, type SessionGrants, type SessionService } from '../sessions/index.ts'
import type { Settings } from '../settings/index.ts'
import type { UserRepository } from './repository.ts'
import { toUser, type UserService } from './service.ts'

const read = { access: 'viewer' } as const
const write = { access: 'operator' } as const
const tags = ['utilisateurs']
const params = Type.Object({ id: EntityId })
const columns = {
  id: 'id',
  firstName: 'firstName',
  // As in a phone book: accents and case aside.
  lastName: 'searchText',
  email: 'email',
  phone: 'phone',
  birthDate: 'birthDate',
  sex: 'sex',
  municipality: 'municipality',
  occupation: 'occupation',
  consentGiven: 'consentGiven',
  consentAt: 'consentAtMs',
  consentVersion: 'consentVersion',
  consentRevokedAt: 'consentRevokedAtMs',
  createdAt: 'createdAtMs',
  updatedAt: 'updatedAtMs',
}

export interface UserRoutePorts {
  users: UserService
  repository: UserRepository
  sessions: Pick<SessionService, 'list' | 'countUsersSince'>
  grants: Pick<SessionGrants, 'canCreate'>
  settings: Settings
  clock: Clock
}

export function userRoutes({
  users,
  repository,
  sessions,
  grants,
  settings,
  clock,
}: UserRoutePorts): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/',
      {
        config: read,
        schema: { tags, summary: 'Users', querystring: UserQuery, response: { 200: UserPage } },
      },
      async (request) => {
        const rows = await repository.list(filterOf(request.query), windowOf(request.query, columns))
        return pageAnswer(request, request.query, rows, toUser)
      },
    )
    app.post(
      '/',
      {
        config: write,
        schema: {
          tags,
          summary: 'Register a user',
          sendsVersion: true,
          body: UserInput,
          response: { 201: User },
        },
      },
      async (request, reply) => {
        const row = await users.create(request.body, actorOf(request))
        return sendVersioned(reply.code(201), row.version, toUser(row))
      },
    )
    app.get(
      '/stats',
      { config: read, schema: { tags, summary: 'Counts', response: { 200: UserStats } } },
      async () => {
        const sinceMs = startOfDayMs(clock.nowMs(), settings.current().timeZone)
        return {
          total: await repository.count(),
          withConsent: await repository.count({ consentGiven: true }),
          createdToday: await repository.countCreatedSince(sinceMs),
          withSessionToday: await sessions.countUsersSince(sinceMs),
        }
      },
    )
    app.get(
      '/:id',
      {
        config: read,
        schema: { tags, summary: 'One user', sendsVersion: true, params, response: { 200: User } },
      },
      async (request, reply) => {
        const row = await users.get(request.params.id)
        return sendVersioned(reply, row.version, toUser(row))
      },
    )
    app.put(
      '/:id',
      {
        config: write,
        schema: {
          tags,
          summary: 'Replace a user',
          ...versioned,
          errors: ['use-revoke-consent'],
          params,
          body: UserReplacement,
          response: { 200: User },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const row = await users.replace(id, request.body, actorOf(request), expectedVersionOf(request))
        return sendVersioned(reply, row.version, toUser(row))
      },
    )
    app.delete(
      '/:id',
      {
        config: write,
        schema: {
          tags,
          summary: 'Delete a user',
          takesVersion: true,
          errors: ['session-active'],
          params,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        await users.remove(request.params.id, actorOf(request), expectedVersionOf(request))
        return reply.code(204).send(null)
      },
    )
    app.get(
      '/:id/sessions',
      {
        config: read,
        schema: {
          tags,
          summary: 'Sessions of a user',
          params,
          querystring: SessionQuery,
          response: { 200: SessionPage },
        },
      },
      async (request) => {
        const { id } = request.params
        await users.get(id)
        const rows = await sessions.list({ ...filterOf(request.query), userId: id }, request.query)
        const nowMs = clock.nowMs()
        return pageAnswer(request, request.query, rows, (row) => toSession(row, nowMs))
      },
    )
    app.get(
      '/:id/can_create_session',
      {
        config: read,
        schema: {
          tags,
          summary: 'Whether a session may be created',
          params,
          response: { 200: CanCreateSession },
        },
      },
      async (request) => grants.canCreate(request.params.id),
    )
    app.post(
      '/:id/revoke_consent',
      {
        config: write,
        schema: {
          tags,
          summary: 'Withdraw consent',
          ...versioned,
          params,
          body: closed({}),
          response: { 200: User },
        },
      },
      async (request, reply) => {
        const row = await users.revokeConsent(request.params.id, actorOf(request), expectedVersionOf(request))
        return sendVersioned(reply, row.version, toUser(row))
      },
    )
  }
}
