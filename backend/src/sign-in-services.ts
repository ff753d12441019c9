import type { Clock } from './clock.ts'
import type { Store } from './db/database.ts'
import {
  createAuthRepository,
  createAuthService,
  createPasswordCheck,
  createSignInAddresses,
  createTokens,
} from './features/auth/index.ts'
import { createOperatorRepository, createOperatorService } from './features/operators/index.ts'
import { createPasswords } from './crypto/passwords.ts'
import { keyedHash } from './crypto/secrets.ts'
import type { Journal } from './features/logs/index.ts'
import {
  createThrottleBlocks,
  createThrottleRepository,
  createThrottles,
} from './features/throttles/index.ts'

interface SignInPorts {
  database: Store
  journal: Journal
  clock: Clock
  tokenKey: Buffer
  codeKey: Buffer
}

/** Who may sign in, and what is counted of those who try. */
export function createSignInServices({ tokenKey, codeKey, ...base }: SignInPorts) {
  const { database, clock } = base
  const throttleRepository = createThrottleRepository(database)
  const throttles = createThrottles(throttleRepository, clock)
  const operatorRepository = createOperatorRepository(database)
  /** Stands for a username where one was typed. */
  const hashOfUsername = (username: string) => keyedHash(codeKey, `username ${username}`)
  const passwords = createPasswords()
  const addresses = createSignInAddresses(database, codeKey, clock)
  const passwordCheck = createPasswordCheck({ passwords, throttles, addresses, hashOfUsername })
  const throttleBlocks = createThrottleBlocks({
    ...base,
    repository: throttleRepository,
    idOf: (key) => keyedHash(codeKey, key),
    operatorsByHash: async () =>
      new Map((await operatorRepository.findAll()).map((row) => [hashOfUsername(row.username), row])),
  })
  const tokenRepository = createAuthRepository(database)
  const operators = createOperatorService({
    ...base,
    repository: operatorRepository,
    tokens: tokenRepository,
    addresses,
    passwords,
    passwordCheck,
  })
  const auth = createAuthService({
    ...base,
    repository: tokenRepository,
    operators: operatorRepository,
    passwordCheck,
    tokens: createTokens(tokenKey, clock),
  })
  return { auth, operators, throttles, throttleBlocks, tokenRepository }
}
