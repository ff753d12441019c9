import type { Feature } from '../feature.ts'
import type { Presences } from '../room/index.ts'
import { createStationCredentials, type CredentialPorts } from './credentials.ts'
import { stationEndpoints } from './endpoints.ts'
import { createStationService, type StationServicePorts } from './service.ts'

export type { StationCredentials } from './credentials.ts'
export type { StationService } from './service.ts'
export { createStationRepository, type StationRepository } from './repository.ts'
export { stationJson, toStation } from './view.ts'

export interface StationPorts extends StationServicePorts, CredentialPorts {
  presences: Pick<Presences, 'markOffline' | 'takeHeartbeat' | 'noteContact'>
}

/** Stations and their secrets. */
export function createStations(ports: StationPorts) {
  const { room, presences, clock } = ports
  const stations = createStationService(ports)
  const credentials = createStationCredentials(ports)
  return {
    service: { stations, credentials },
    endpoints: [stationEndpoints({ credentials, stations, presences, room, clock })],
  } satisfies Feature
}
