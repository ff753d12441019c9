import type { Clock } from '../../clock.ts'
import type { Store } from '../../db/database.ts'
import type { AppEvents } from '../../events.ts'
import type { Feature } from '../feature.ts'
import { createMachines } from './machines.ts'
import { createPresences as createPresenceService, type PresencePorts as ServicePorts } from './presence.ts'
import { createRoomRepository } from './repository.ts'
import { createRoomStore } from './store.ts'

export type { Machines } from './machines.ts'
export type { Presences } from './presence.ts'
export type { RoomStore } from './store.ts'

export interface RoomPorts {
  database: Store
  events: AppEvents
  clock: Clock
}

/**
 * Stations, their connections and the sessions that have not ended, in memory. Made before anything else subscribes to
 * events.
 */
export function createRoom({ database, events, clock }: RoomPorts) {
  const room = createRoomStore({ repository: createRoomRepository(database), events, clock })
  return {
    service: { room, machines: createMachines({ room, clock }) },
    start: room.load,
  } satisfies Feature
}

export type PresencePorts = Omit<ServicePorts, 'database' | 'repository'> & { database: Store }

/** Which stations are connected, and what they report of themselves. */
export function createPresences(ports: PresencePorts) {
  const service = createPresenceService({ ...ports, repository: createRoomRepository(ports.database) })
  return { service, start: service.start, stop: service.stop } satisfies Feature
}
