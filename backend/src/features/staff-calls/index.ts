import type { Feature } from '../feature.ts'
import { staffCallEndpoints } from './endpoints.ts'
import { createStaffCallService, type StaffCallServicePorts } from './service.ts'

export { createStaffCallRepository } from './repository.ts'
export type { StaffCalls } from './service.ts'

/** Calls for help that visitors make at a station. */
export function createStaffCalls(ports: StaffCallServicePorts) {
  const service = createStaffCallService(ports)
  return { service, endpoints: [staffCallEndpoints(service)] } satisfies Feature
}
