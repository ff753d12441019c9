import type { Clock } from '../../clock.ts'
import type { Store } from '../../db/database.ts'
import type { BrokerAddress } from '../enrolment/index.ts'
import type { Feature } from '../feature.ts'
import type { Journal } from '../logs/index.ts'
import type { Usernames } from '../usernames/index.ts'
import { accountEndpoints } from './endpoints.ts'
import { createAccountRepository } from './repository.ts'
import { createAccountService } from './service.ts'

export type { AccountService, DrawnSecret } from './service.ts'

export interface AccountPorts {
  database: Store
  usernames: Usernames
  /** Where a machine with a new secret finds the broker. */
  brokerFor: BrokerAddress
  journal: Journal
  clock: Clock
}

/** Logins of machines other than stations. */
export function createAccounts(ports: AccountPorts) {
  const service = createAccountService({ ...ports, repository: createAccountRepository(ports.database) })
  return { service, endpoints: [accountEndpoints(service, ports.brokerFor)] } satisfies Feature
}
