import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { EntityId, ThrottlePage, ThrottleQuery } from '@escale/protocol'
import { Type } from 'typebox'
import { listAnswer } from '../../http/page.ts'
import { actorOf } from '../../http/guard.ts'
import type { ThrottleBlocks } from './blocks.ts'

const config = { access: 'operator' } as const
const tags = ['parametres']

export function throttleRoutes(blocks: ThrottleBlocks): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/',
      {
        config,
        schema: {
          tags,
          summary: 'Blocks in force after too many wrong codes or sign-ins',
          querystring: ThrottleQuery,
          response: { 200: ThrottlePage },
        },
      },
      (request) => listAnswer(request, blocks.list),
    )
    app.delete(
      '/:id',
      {
        config,
        schema: {
          tags,
          summary: 'Lift a block: an operator those of codes, an admin any',
          params: Type.Object({ id: EntityId }),
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        const { caller } = request
        const isAdmin = caller?.type === 'operator' && caller.role === 'admin'
        await blocks.lift(request.params.id, actorOf(request), isAdmin)
        return reply.code(204).send(null)
      },
    )
  }
}
