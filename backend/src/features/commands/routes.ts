import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  CommandInput,
  CommandQuery,
  CommandsInput,
  EntityId,
  SentCommands,
  StationCommand,
  StationCommandPage,
  StationId,
} from '@escale/protocol'
import { Type } from 'typebox'
import type { CommandRecord } from '../../db/rows.ts'
import { filterOf } from '../../db/page-window.ts'
import { pageAnswer } from '../../http/page.ts'
import { actorOf } from '../../http/guard.ts'
import type { CommandService } from './service.ts'
import { toStationCommand } from './view.ts'

const read = { access: 'viewer' } as const
const write = { access: 'operator' } as const
const tags = ['postes']
const errors = ['update-unavailable', 'mac-address-missing', 'not-cancellable'] as const
const sentBy = (commands: CommandRecord[]): SentCommands => ({
  commands: commands.map(({ id, stationId }) => ({ id, stationId })),
})

/** Beside the stations: commands to one, to several, and what became of them. */
export function commandRoutes(commands: CommandService): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/commands',
      {
        config: read,
        schema: {
          tags,
          summary: 'Commands, newest first',
          querystring: CommandQuery,
          response: { 200: StationCommandPage },
        },
      },
      async (request) => {
        const rows = await commands.list(filterOf(request.query), request.query)
        return pageAnswer(request, request.query, rows, toStationCommand)
      },
    )
    app.post(
      '/commands',
      {
        config: write,
        schema: {
          tags,
          summary: 'Command several stations',
          errors,
          body: CommandsInput,
          response: { 202: SentCommands },
        },
      },
      async (request, reply) => {
        const { stationIds, location, all, ...order } = request.body
        const sent = await commands.send(order, { stationIds, location, all }, actorOf(request))
        return reply.code(202).send(sentBy(sent))
      },
    )
    app.get(
      '/commands/:id',
      {
        config: read,
        schema: {
          tags,
          summary: 'One command',
          params: Type.Object({ id: EntityId }),
          response: { 200: StationCommand },
        },
      },
      async (request) => toStationCommand(await commands.get(request.params.id)),
    )
    app.post(
      '/:id/commands',
      {
        config: write,
        schema: {
          tags,
          summary: 'Command a station',
          errors,
          params: Type.Object({ id: StationId }),
          body: CommandInput,
          response: { 202: SentCommands },
        },
      },
      async (request, reply) => {
        const sent = await commands.send(request.body, { stationId: request.params.id }, actorOf(request))
        return reply.code(202).send(sentBy(sent))
      },
    )
  }
}
