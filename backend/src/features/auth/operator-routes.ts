import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  EntityId,
  Operator,
  OperatorInput,
  OperatorPage,
  OperatorQuery,
  OperatorReplacement,
} from '@escale/protocol'
import { Type } from 'typebox'
import { pageAnswer } from '../../http/page.ts'
import { actorOf } from './guard.ts'
import { toOperator, type OperatorService } from './operator-service.ts'

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
      async (request) => {
        const { page: _page, pageSize: _size, ordering: _order, ...filter } = request.query
        return pageAnswer(request, request.query, await operators.list(filter, request.query))
      },
    )
    app.post(
      '/',
      {
        config,
        schema: {
          tags,
          summary: 'Add an operator',
          errors: ['duplicate'],
          body: OperatorInput,
          response: { 201: Operator },
        },
      },
      async (request, reply) =>
        reply.code(201).send(toOperator(await operators.create(request.body, actorOf(request)))),
    )
    app.get(
      '/:id',
      { config, schema: { tags, summary: 'One operator', params, response: { 200: Operator } } },
      async (request) => toOperator(await operators.get(request.params.id)),
    )
    app.put(
      '/:id',
      {
        config,
        schema: {
          tags,
          summary: 'Change role, password, or whether they may sign in',
          errors: ['last-admin'],
          params,
          body: OperatorReplacement,
          response: { 200: Operator },
        },
      },
      async (request) =>
        toOperator(await operators.replace(request.params.id, request.body, actorOf(request))),
    )
    app.delete(
      '/:id',
      {
        config,
        schema: {
          tags,
          summary: 'Disable an operator for good',
          errors: ['last-admin'],
          params,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        await operators.disable(request.params.id, actorOf(request))
        return reply.code(204).send(null)
      },
    )
  }
}
