export { createPresences, type Presences } from './presence.ts'
export { createStationRepository } from './repository.ts'
export { stationRoutes } from './routes.ts'
export { createStationService, type StationService } from './service.ts'
