import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import { operatorEndpoints } from './endpoints.ts'
import { createOperatorRepository } from './repository.ts'
import { createOperatorService, type OperatorServicePorts } from './service.ts'

export { createOperatorRepository } from './repository.ts'
export type { OperatorService } from './service.ts'

export interface OperatorPorts extends Omit<OperatorServicePorts, 'repository'> {
  database: Store
}

/** The staff: who may sign in, and with which role. */
export function createOperators(ports: OperatorPorts) {
  const service = createOperatorService({ ...ports, repository: createOperatorRepository(ports.database) })
  return { service, endpoints: [operatorEndpoints(service)] } satisfies Feature
}
