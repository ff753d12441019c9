import type { Clock } from '../../clock.ts'
import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import type { Journal, Records } from '../logs/index.ts'
import type { PhotoStore } from '../photos/index.ts'
import type { UserService } from '../users/index.ts'
import { privacyEndpoints } from './endpoints.ts'
import { createPrivacyRepository } from './repository.ts'
import { createPrivacyService } from './service.ts'
import { createTraces as createTracesIn } from './traces.ts'

export interface PrivacyPorts {
  database: Store
  users: Pick<UserService, 'get' | 'remove'>
  logs: Pick<Records, 'ofUser'>
  photos: Pick<PhotoStore, 'read'>
  journal: Journal
  clock: Clock
}

/** Finds and removes texts about a person outside their own row. */
export const createTraces = (database: Store, clock: Clock) =>
  createTracesIn(createPrivacyRepository(database), clock)

/** Exports and erases all data about a person. */
export function createPrivacy(ports: PrivacyPorts) {
  const repository = createPrivacyRepository(ports.database)
  const traces = createTracesIn(repository, ports.clock)
  const service = createPrivacyService({ ...ports, repository, traces })
  return { service, endpoints: [privacyEndpoints(service)] } satisfies Feature
}
