import type { Clock } from '../../clock.ts'
import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import type { Journal } from '../logs/index.ts'
import type { SessionGrants, SessionService } from '../sessions/index.ts'
import type { Settings } from '../settings/index.ts'
import { userEndpoints } from './endpoints.ts'
import { createUserReading } from './reading.ts'
import { createUserRepository } from './repository.ts'
import { createUserService, type HeldElsewhere } from './service.ts'

export type { UserService } from './service.ts'
export { toUser } from './view.ts'

export interface UserPorts extends HeldElsewhere {
  database: Store
  sessions: Pick<SessionService, 'list' | 'countUsersSince' | 'hasRunning' | 'endAllOf' | 'forgetUser'>
  grants: Pick<SessionGrants, 'canCreate'>
  settings: Settings
  journal: Journal
  clock: Clock
}

/** Visitors that the desk has registered. */
export function createUsers(ports: UserPorts) {
  const repository = createUserRepository(ports.database)
  const service = createUserService({ ...ports, repository })
  const reading = createUserReading({ ...ports, repository })
  return { service, endpoints: [userEndpoints({ ...ports, users: service, reading })] } satisfies Feature
}
