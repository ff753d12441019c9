import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  EntityId,
  Operator,
  OperatorInput,
  OperatorPage,
  OperatorQuery,
  OperatorReplacement,
  OwnPasswordInput,
  closed,
} from '@escale/protocol'
import { Type } from 'typebox'
import { unwrap } from '../../errors.ts'
import { expectedVersionOf, sendVersioned, versioned } from '../../http/etag.ts'
import { listAnswer } from '../../http/page.ts'
import { actorOf } from '../../http/guard.ts'
import { toOperator, type OperatorService } from './service.ts'

const config = { access: 'admin' } as const
const tags = ['operateurs']
const params = Type.Object({ id: EntityId })

export function operatorRoutes(operators: OperatorService): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/',
      {
        config,
        schema: { tags, summary: 'Operators', querystring: OperatorQuery, response: { 200: OperatorPage } },
      },
      (request) => listAnswer(request, operators.list),
    )
    app.post(
      '/',
      {
        config,
        schema: {
          tags,
          summary: 'Add an operator',
          sendsVersion: true,
          errors: ['duplicate', 'weak-password'],
          body: OperatorInput,
          response: { 201: Operator },
        },
      },
      async (request, reply) => {
        const row = await operators.create(request.body, actorOf(request))
        return sendVersioned(reply.code(201), row.version, toOperator(row))
      },
    )
    app.post(
      '/moi/mot_de_passe',
      {
        config: { access: 'viewer' },
        schema: {
          tags,
          summary: 'Change one’s own password; every other sign-in of the same operator ends',
          errors: ['wrong-password', 'weak-password', 'login-throttled'],
          body: OwnPasswordInput,
          response: { 200: closed({}) },
        },
      },
      async (request) => {
        const signInId = request.caller?.type === 'operator' ? request.caller.signInId : undefined
        unwrap(await operators.changeOwnPassword(request.body, actorOf(request), request.ip, signInId))
        return {}
      },
    )
    app.get(
      '/:id',
      {
        config,
        schema: { tags, summary: 'One operator', sendsVersion: true, params, response: { 200: Operator } },
      },
      async (request, reply) => {
        const row = await operators.get(request.params.id)
        return sendVersioned(reply, row.version, toOperator(row))
      },
    )
    app.put(
      '/:id',
      {
        config,
        schema: {
          tags,
          summary: 'Change role, password, or whether they may sign in',
          ...versioned,
          errors: ['last-admin', 'weak-password'],
          params,
          body: OperatorReplacement,
          response: { 200: Operator },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const row = await operators.replace(id, request.body, actorOf(request), expectedVersionOf(request))
        return sendVersioned(reply, row.version, toOperator(row))
      },
    )
    app.delete(
      '/:id',
      {
        config,
        schema: {
          tags,
          summary: 'Disable an operator for good',
          takesVersion: true,
          errors: ['last-admin'],
          params,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        await operators.disable(request.params.id, actorOf(request), expectedVersionOf(request))
        return reply.code(204).send(null)
      },
    )
  }
}
