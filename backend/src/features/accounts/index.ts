import type { BrokerAddress } from '../enrolment/index.ts'
import type { Feature } from '../feature.ts'
import { accountEndpoints } from './endpoints.ts'
import { createAccountService, type AccountServicePorts } from './service.ts'

export { createAccountRepository } from './repository.ts'
export type { AccountService, DrawnSecret } from './service.ts'

export interface AccountPorts extends AccountServicePorts {
  /** Where a machine with a new secret finds the broker. */
  brokerFor: BrokerAddress
}

/** Logins of machines other than stations. */
export function createAccounts(ports: AccountPorts) {
  const service = createAccountService(ports)
  return { service, endpoints: [accountEndpoints(service, ports.brokerFor)] } satisfies Feature
}
