import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import type { Presences } from '../room/index.ts'
import { createStationCredentials } from './credentials.ts'
import { stationEndpoints } from './endpoints.ts'
import { createStationRepository } from './repository.ts'
import { createStationService, type StationServicePorts } from './service.ts'

export type { StationCredentials } from './credentials.ts'
export type { StationService } from './service.ts'
export { stationJson, toStation } from './view.ts'

export interface StationPorts extends Omit<StationServicePorts, 'database' | 'repository'> {
  database: Store
  presences: Pick<Presences, 'markOffline' | 'takeHeartbeat' | 'noteContact'>
}

/** Stations and their secrets. */
export function createStations(ports: StationPorts) {
  const { database, room, presences, clock } = ports
  const repository = createStationRepository(database, room)
  const stations = createStationService({ ...ports, repository })
  const credentials = createStationCredentials({ ...ports, repository })
  return {
    service: { stations, credentials },
    endpoints: [stationEndpoints({ credentials, stations, presences, room, clock })],
  } satisfies Feature
}
