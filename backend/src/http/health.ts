import { restApi, type ServiceStatus } from '@escale/protocol'
import { storageError } from '../db/storage-fault.ts'
import type { StorageProbe } from '../db/storage-probe.ts'
import type { Peers } from '../peers/port.ts'
import { serve } from './endpoints.ts'

/**
 * Whether the process lives, and whether it can serve, which means to store what it is told. It can serve without the
 * other servers.
 * @param peers undefined for a server that is alone
 */
export const serviceEndpoints = (storage: StorageProbe, peers: Pick<Peers, 'isConnected'> | undefined) =>
  serve(restApi.service, {
    health: () => ({ status: 'ok' }),
    readiness: async (): Promise<ServiceStatus> => {
      const fault = await storage.check()
      if (fault !== undefined) throw storageError(fault)
      return { status: 'ready', ...(peers && { redis: peers.isConnected() ? 'connected' : 'unreachable' }) }
    },
  })
