import type { Clock } from '../../clock.ts'
import type { Passwords } from '../../crypto/passwords.ts'
import type { Store } from '../../db/database.ts'
import type { PasswordCheck, SignIns } from '../auth/index.ts'
import type { Feature } from '../feature.ts'
import type { Journal } from '../logs/index.ts'
import { operatorEndpoints } from './endpoints.ts'
import { createOperatorRepository } from './repository.ts'
import { createOperatorService } from './service.ts'

export { createOperatorRepository } from './repository.ts'
export type { OperatorService } from './service.ts'

export interface OperatorPorts {
  database: Store
  signIns: Pick<SignIns, 'endAllOf'>
  passwords: Pick<Passwords, 'hash'>
  passwordCheck: PasswordCheck
  journal: Journal
  clock: Clock
}

/** The staff: who may sign in, and with which role. */
export function createOperators(ports: OperatorPorts) {
  const service = createOperatorService({ ...ports, repository: createOperatorRepository(ports.database) })
  return { service, endpoints: [operatorEndpoints(service)] } satisfies Feature
}
