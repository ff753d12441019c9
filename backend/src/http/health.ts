import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../db/database.ts'
import { AppError } from '../errors.ts'

const config = { access: 'public' } as const
const Status = Type.Object({ status: Type.String() })

/** Whether the process lives, whether it can serve, and what it serves. */
export function healthRoutes(database: Database): FastifyPluginAsyncTypebox {
  const schema = { tags: ['service'], response: { 200: Status } }
  return async (app) => {
    app.get('/healthz', { config, schema: { ...schema, summary: 'The process lives' } }, () => ({
      status: 'ok',
    }))
    app.get(
      '/readyz',
      { config, schema: { ...schema, summary: 'The server can serve' } },
      async (request) => {
        try {
          await database.sequelize.query('SELECT 1')
        } catch (err) {
          request.log.error({ err }, 'the database does not answer')
          throw new AppError('unavailable')
        }
        return { status: 'ready' }
      },
    )
    app.get('/api/openapi.json', { config, schema: { hide: true } }, () => app.swagger())
  }
}
