import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import { createSignInAddresses } from './address-repository.ts'
import { authEndpoints } from './endpoints.ts'
import { createPasswordCheck, type PasswordCheckPorts } from './password-check.ts'
import { createAuthRepository } from './repository.ts'
import { createSignIns, type SignInPorts } from './sign-ins.ts'
import { createTokens } from './tokens.ts'

export { createCredentialWatch } from './credential-watch.ts'
export { createMqttLogin } from './mqtt-login.ts'
export type { PasswordCheck } from './password-check.ts'
export { createRights } from './rights.ts'
export type { SignIns } from './sign-ins.ts'
export { createTokens } from './tokens.ts'

type Inside = 'repository' | 'addresses' | 'passwordCheck' | 'tokens'

export interface AuthPorts extends Omit<SignInPorts, Inside>, Omit<PasswordCheckPorts, 'addresses'> {
  database: Store
  /** Signs access tokens. */
  tokenKey: Buffer
  /** Keys the hashes of addresses. */
  hashKey: Buffer
}

/** Signing in: passwords, tokens, and limits on wrong ones. */
export function createAuth(ports: AuthPorts) {
  const { database, passwords, throttles, clock } = ports
  const addresses = createSignInAddresses(database, ports.hashKey, clock)
  const passwordCheck = createPasswordCheck({ passwords, throttles, addresses })
  const signIns = createSignIns({
    ...ports,
    repository: createAuthRepository(database),
    addresses,
    passwordCheck,
    tokens: createTokens(ports.tokenKey, clock),
  })
  return { service: { signIns, passwordCheck }, endpoints: [authEndpoints(signIns)] } satisfies Feature
}
