import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ServiceStatus } from '@escale/protocol'
import { storageError } from '../db/storage-fault.ts'
import type { StorageProbe } from '../db/storage-probe.ts'
import type { Peers } from '../peers/port.ts'

const config = { access: 'public' } as const

/**
 * Whether the process lives, and whether it can serve, which is to store what it is told; without the others it can.
 * @param peers undefined for a server that is alone
 */
export function healthRoutes(
  storage: StorageProbe,
  peers: Pick<Peers, 'isConnected'> | undefined,
): FastifyPluginAsyncTypebox {
  const schema = { tags: ['service'], response: { 200: ServiceStatus } }
  return async (app) => {
    app.get('/healthz', { config, schema: { ...schema, summary: 'The process lives' } }, () => ({
      status: 'ok',
    }))
    app.get('/readyz', { config, schema: { ...schema, summary: 'The server can serve' } }, async () => {
      const fault = await storage.check()
      if (fault !== undefined) throw storageError(fault)
      return {
        status: 'ready',
        ...(peers && { redis: peers.isConnected() ? ('connected' as const) : ('unreachable' as const) }),
      }
    })
  }
}
