import { restApi, type ServiceStatus } from '@escale/protocol'
import { storageError } from '../../db/storage-fault.ts'
import type { StorageProbe } from '../../db/storage-probe.ts'
import { serve } from '../../http/endpoints.ts'

export interface ServiceEndpointPorts {
  storage: StorageProbe
  /** Other servers of the site; undefined for a server that is alone. */
  peers: { isConnected(): boolean } | undefined
}

/** Whether the process runs, and whether it is ready: whether it can store. It can without the other servers. */
export function serviceEndpoints({ storage, peers }: ServiceEndpointPorts) {
  return serve(restApi.service, {
    health: () => ({ status: 'ok' }),
    readiness: async (): Promise<ServiceStatus> => {
      const fault = await storage.check()
      if (fault !== undefined) throw storageError(fault)
      return { status: 'ready', ...(peers && { redis: peers.isConnected() ? 'connected' : 'unreachable' }) }
    },
  })
}
