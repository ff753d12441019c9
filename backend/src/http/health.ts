import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ServiceStatus } from '@escale/protocol'
import type { Database } from '../db/database.ts'
import { AppError } from '../errors.ts'
import type { Peers } from '../peers/port.ts'

const config = { access: 'public' } as const

/**
 * Whether the process lives, and whether it can serve; without the others it can.
 * @param peers undefined for a server that is alone
 */
export function healthRoutes(
  database: Database,
  peers: Pick<Peers, 'isConnected'> | undefined,
): FastifyPluginAsyncTypebox {
  const schema = { tags: ['service'], response: { 200: ServiceStatus } }
  return async (app) => {
    app.get('/healthz', { config, schema: { ...schema, summary: 'The process lives' } }, () => ({
      status: 'ok',
    }))
    app.get(
      '/readyz',
      { config, schema: { ...schema, summary: 'The server can serve', errors: ['unavailable'] } },
      async (request) => {
        try {
          await database.sequelize.query('SELECT 1')
        } catch (err) {
          request.log.error({ err }, 'the database does not answer')
          throw new AppError('unavailable')
        }
        return {
          status: 'ready',
          ...(peers && { redis: peers.isConnected() ? ('connected' as const) : ('unreachable' as const) }),
        }
      },
    )
  }
}
