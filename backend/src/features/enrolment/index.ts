import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import { createBootTokens, type BootTokenPorts } from './boot-tokens.ts'
import type { BrokerAddress } from './broker-address.ts'
import { enrolmentEndpoints, siteKeyEndpoints } from './endpoints.ts'
import { createBootTokenRepository, createPairingRepository, createSiteKeyRepository } from './repository.ts'
import { createPairing, type PairingPorts } from './pairing.ts'
import { createEnrolmentService, type EnrolmentServicePorts } from './service.ts'
import { createSiteKey, type SiteKeyPorts } from './site-key.ts'

export { brokerAddressOf, type BrokerAddress, type BrokerSite } from './broker-address.ts'

type Ports = EnrolmentServicePorts & PairingPorts & BootTokenPorts & SiteKeyPorts

export interface EnrolmentPorts extends Omit<Ports, 'repository' | 'pairing' | 'siteKey' | 'bootTokens'> {
  database: Store
  /** The broker's address for a station, depending on how it reached the server. */
  brokerFor: BrokerAddress
}

/** How stations get their identity: by the site key, a boot token, or an operator who accepts them. */
export function createEnrolment(ports: EnrolmentPorts) {
  const { database, brokerFor } = ports
  const siteKey = createSiteKey({ ...ports, repository: createSiteKeyRepository(database) })
  const bootTokens = createBootTokens({ ...ports, repository: createBootTokenRepository(database) })
  const pairing = createPairing({ ...ports, repository: createPairingRepository(database) })
  const enrolment = createEnrolmentService({ ...ports, pairing, siteKey, bootTokens })
  return {
    service: { bootTokens },
    endpoints: [enrolmentEndpoints({ enrolment, pairing, bootTokens, brokerFor }), siteKeyEndpoints(siteKey)],
    start: siteKey.start,
  } satisfies Feature
}
