import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import { createMachines } from './machines.ts'
import { createPresences as createPresenceService, type PresencePorts as ServicePorts } from './presence.ts'
import { createPresenceRepository } from './repository.ts'
import { createRoomStore, type RoomStorePorts } from './store.ts'

export type { Machines } from './machines.ts'
export type { Presences } from './presence.ts'
export type { RoomStore } from './store.ts'

export type RoomPorts = Omit<RoomStorePorts, 'repository'> & { database: Store }

/**
 * Stations, their connections and the sessions that have not ended, in memory. Create it before anything else
 * subscribes to events.
 */
export function createRoom(ports: RoomPorts) {
  const room = createRoomStore({ ...ports, repository: createPresenceRepository(ports.database) })
  return {
    service: { room, machines: createMachines({ room, clock: ports.clock }) },
    start: room.load,
  } satisfies Feature
}

export type PresencePorts = Omit<ServicePorts, 'database' | 'repository'> & { database: Store }

/** Which stations are connected, and what they report. */
export function createPresences(ports: PresencePorts) {
  const service = createPresenceService({ ...ports, repository: createPresenceRepository(ports.database) })
  return { service, start: service.start, stop: service.stop } satisfies Feature
}
