import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import { staffCallEndpoints } from './endpoints.ts'
import { createStaffCallRepository } from './repository.ts'
import { createStaffCallService, type StaffCallServicePorts } from './service.ts'

export type { StaffCalls } from './service.ts'

export type StaffCallPorts = Omit<StaffCallServicePorts, 'repository'> & { database: Store }

/** Calls for help that visitors make at a station. */
export function createStaffCalls(ports: StaffCallPorts) {
  const service = createStaffCallService({ ...ports, repository: createStaffCallRepository(ports.database) })
  return { service, endpoints: [staffCallEndpoints(service)] } satisfies Feature
}
