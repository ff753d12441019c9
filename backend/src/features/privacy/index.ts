import type { Feature } from '../feature.ts'
import { privacyEndpoints } from './endpoints.ts'
import { createPrivacyService, type PrivacyServicePorts } from './service.ts'

export { createTraces } from './traces.ts'

/** Exports and erases all data about a person. */
export function createPrivacy(ports: PrivacyServicePorts) {
  const service = createPrivacyService(ports)
  return { service, endpoints: [privacyEndpoints(service)] } satisfies Feature
}
