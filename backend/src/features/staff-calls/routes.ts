import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { EntityId, StaffCall, StaffCallPage, StaffCallQuery, closed } from '@escale/protocol'
import { Type } from 'typebox'
import { listAnswer } from '../../http/page.ts'
import { actorOf } from '../../http/guard.ts'
import type { StaffCalls } from './service.ts'
import { toStaffCall } from './view.ts'

const tags = ['postes']
const write = { access: 'operator' } as const
const params = Type.Object({ id: EntityId })

/** Beside the stations: the calls for help that are open there. */
export function staffCallRoutes(
  calls: Pick<StaffCalls, 'list' | 'take' | 'close'>,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/appels',
      {
        config: { access: 'viewer' },
        schema: {
          tags,
          summary: 'Open calls for help, the longest wait first',
          querystring: StaffCallQuery,
          response: { 200: StaffCallPage },
        },
      },
      (request) =>
        listAnswer(request, async (filter, query) => {
          const { count, rows } = await calls.list(filter, query)
          return { count, rows: rows.map(toStaffCall) }
        }),
    )
    app.post(
      '/appels/:id/prendre',
      {
        config: write,
        schema: {
          tags,
          summary: 'Take care of a call',
          errors: ['call-taken'],
          params,
          body: closed({}),
          response: { 200: StaffCall },
        },
      },
      (request) => calls.take(request.params.id, actorOf(request)),
    )
    app.post(
      '/appels/:id/clore',
      {
        config: write,
        schema: { tags, summary: 'Close a call', params, body: closed({}), response: { 200: StaffCall } },
      },
      (request) => calls.close(request.params.id, actorOf(request)),
    )
  }
}
