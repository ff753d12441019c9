import { addressGroupOf } from '@escale/protocol'
import type { OperatorRow } from '../../db/rows.ts'
import type { ThrottleSubject } from '../../domain/throttle.ts'
import { failure, success, type Result } from '../../errors.ts'
import type { Throttles } from '../throttles/index.ts'
import type { SignInAddresses } from './address-repository.ts'
import type { Passwords } from '../../crypto/passwords.ts'

/** When to try again where too many passwords wait to be checked, seconds. */
const PLACE_RETRY_SECONDS = 2

export interface PasswordCheckPorts {
  passwords: Pick<Passwords, 'verify'>
  throttles: Throttles
  addresses: SignInAddresses
}

/** A password that somebody typed, for whom, and from where. */
export interface Attempt {
  username: string
  operator: OperatorRow | undefined
  password: string
  ip: string
}

export type PasswordCheck = ReturnType<typeof createPasswordCheck>

/** Checks passwords, and counts wrong ones by account, by account and address, and by address. */
export function createPasswordCheck({ passwords, throttles, addresses }: PasswordCheckPorts) {
  const countersOf = ({ username, ip }: Pick<Attempt, 'username' | 'ip'>) => {
    const usernameHash = throttles.hashOfUsername(username)
    const ofPair: ThrottleSubject = { kind: 'account-address-login', ip, usernameHash }
    const ofAccount: ThrottleSubject = { kind: 'account-login', usernameHash }
    return { ofPair, ofAccount, ofAddress: { kind: 'address-login', ip } satisfies ThrottleSubject }
  }

  return {
    /** Whether the password is right; `login-throttled` when it is not checked now. */
    async judge(attempt: Attempt): Promise<Result<boolean>> {
      const { operator, password, ip } = attempt
      const { ofPair, ofAccount, ofAddress } = countersOf(attempt)
      const { isKnown, isKnownForOperator } = await addresses.standingOf(ip, operator?.id)
      // At an address where this operator signed in lately, guesses by others do not keep them out.
      const counters = isKnownForOperator ? [ofPair] : [ofPair, ofAccount, ofAddress]
      const retryAfterSeconds = await throttles.waitSeconds(counters)
      if (retryAfterSeconds > 0) return failure('login-throttled', { retryAfterSeconds })
      const caller = { group: addressGroupOf(ip), isKnown }
      const isRight = await passwords.verify(password, operator?.passwordHash, caller)
      return isRight === undefined
        ? failure('login-throttled', { retryAfterSeconds: PLACE_RETRY_SECONDS })
        : success(isRight)
    },
    /** Call inside a write. */
    countFailure: (attempt: Attempt): Promise<void> =>
      throttles.countFailure(Object.values(countersOf(attempt))),
    /** Clears the account's counters; wrong passwords for other accounts stay counted. Call inside a write. */
    async noteSuccess(attempt: Attempt, operatorId: string): Promise<void> {
      const { ofPair, ofAccount } = countersOf(attempt)
      await throttles.clear([ofPair, ofAccount])
      await addresses.remember(attempt.ip, operatorId)
    },
  }
}
