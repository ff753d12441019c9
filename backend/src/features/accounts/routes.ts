import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  Account,
  AccountInput,
  AccountPage,
  AccountQuery,
  AccountReplacement,
  AccountWithSecret,
  StationId,
  closed,
} from '@escale/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { expectedVersionOf, sendVersioned, versioned } from '../../http/etag.ts'
import { listAnswer } from '../../http/page.ts'
import { actorOf } from '../../http/guard.ts'
import { arrivalOf } from '../../http/arrival.ts'
import type { BrokerAddress } from '../enrolment/index.ts'
import { toAccount, type AccountService, type DrawnSecret } from './service.ts'

const config = { access: 'admin' } as const
const tags = ['comptes']
const params = Type.Object({ id: StationId })

export interface AccountRoutePorts {
  accounts: AccountService
  brokerFor: BrokerAddress
}

export function accountRoutes({ accounts, brokerFor }: AccountRoutePorts): FastifyPluginAsyncTypebox {
  const sendSecret = (request: FastifyRequest, reply: FastifyReply, { account, secret }: DrawnSecret) => {
    const { mqttUrl } = brokerFor(arrivalOf(request))
    return sendVersioned(reply, account.version, { ...toAccount(account), secret, mqttUrl })
  }

  return async (app) => {
    app.get(
      '/',
      {
        config,
        schema: {
          tags,
          summary: 'Logins of machines',
          querystring: AccountQuery,
          response: { 200: AccountPage },
        },
      },
      (request) => listAnswer(request, accounts.list),
    )
    app.post(
      '/',
      {
        config,
        schema: {
          tags,
          summary: 'Add an account; its secret is shown here once',
          sendsVersion: true,
          errors: ['duplicate'],
          body: AccountInput,
          response: { 201: AccountWithSecret },
        },
      },
      async (request, reply) =>
        sendSecret(request, reply.code(201), await accounts.create(request.body, actorOf(request))),
    )
    app.get(
      '/:id',
      {
        config,
        schema: { tags, summary: 'One account', sendsVersion: true, params, response: { 200: Account } },
      },
      async (request, reply) => {
        const row = await accounts.get(request.params.id)
        return sendVersioned(reply, row.version, toAccount(row))
      },
    )
    app.put(
      '/:id',
      {
        config,
        schema: {
          tags,
          summary: 'Change label, role, or whether it may connect',
          ...versioned,
          params,
          body: AccountReplacement,
          response: { 200: Account },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const row = await accounts.replace(id, request.body, actorOf(request), expectedVersionOf(request))
        return sendVersioned(reply, row.version, toAccount(row))
      },
    )
    app.delete(
      '/:id',
      {
        config,
        schema: {
          tags,
          summary: 'Remove an account; it is cut off',
          takesVersion: true,
          params,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        await accounts.remove(request.params.id, actorOf(request), expectedVersionOf(request))
        return reply.code(204).send(null)
      },
    )
    app.post(
      '/:id/renouveler',
      {
        config,
        schema: {
          tags,
          summary: 'Draw another secret, shown here once; the old one opens nothing any more',
          ...versioned,
          params,
          body: closed({}),
          response: { 200: AccountWithSecret },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const drawn = await accounts.renewSecret(id, actorOf(request), expectedVersionOf(request))
        return sendSecret(request, reply, drawn)
      },
    )
  }
}
