import type { Feature } from '../feature.ts'
import type { SessionGrants, SessionService } from '../sessions/index.ts'
import { userEndpoints } from './endpoints.ts'
import { createUserService, type UserServicePorts } from './service.ts'

export { createUserRepository, type UserRepository } from './repository.ts'
export type { UserService } from './service.ts'
export { toUser } from './view.ts'

export interface UserPorts extends UserServicePorts {
  sessions: UserServicePorts['sessions'] & Pick<SessionService, 'list'>
  grants: Pick<SessionGrants, 'canCreate'>
}

/** Registered visitors. */
export function createUsers(ports: UserPorts) {
  const service = createUserService(ports)
  return { service, endpoints: [userEndpoints({ ...ports, users: service })] } satisfies Feature
}
