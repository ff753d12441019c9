import type { Clock } from '../../clock.ts'
import type { Sealer } from '../../crypto/sealing.ts'
import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import type { Journal } from '../logs/index.ts'
import { createBootTokens, type BootTokenPorts } from './boot-tokens.ts'
import type { BrokerAddress } from './broker-address.ts'
import { enrolmentEndpoints, siteKeyEndpoints } from './endpoints.ts'
import { createBootTokenRepository, createPairingRepository, createSiteKeyRepository } from './repository.ts'
import { createPairing, type PairingPorts } from './pairing.ts'
import { createEnrolmentService, type EnrolmentServicePorts } from './service.ts'
import { createSiteKey } from './site-key.ts'

export { brokerAddressOf, type BrokerAddress, type BrokerSite } from './broker-address.ts'

export interface EnrolmentPorts {
  database: Store
  stations: EnrolmentServicePorts['stations'] & PairingPorts['stations'] & BootTokenPorts['stations']
  credentials: PairingPorts['credentials'] & BootTokenPorts['credentials']
  throttles: EnrolmentServicePorts['throttles']
  rates: EnrolmentServicePorts['rates']
  /** The broker's address for a station, depending on how it reached the server. */
  brokerFor: BrokerAddress
  /** Encrypts the site key in the database. */
  sealer: Sealer
  /** The site key until an admin draws another. */
  firstSiteKey: string
  /** Writes a copy of the site key for the server's administrator. */
  keepSiteKey(key: string): void
  journal: Journal
  clock: Clock
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
