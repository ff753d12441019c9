import { randomUUID } from 'node:crypto'
import type { LoginInput, TokenPair } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { OperatorRow } from '../../db/rows.ts'
import type { ThrottleSubject } from '../../domain/throttle.ts'
import { failure, success, type Result } from '../../errors.ts'
import type { Journal } from '../logs/index.ts'
import type { OperatorRepository } from './operator-repository.ts'
import type { Throttles } from '../throttles/index.ts'
import type { Passwords } from './passwords.ts'
import type { AuthRepository } from './repository.ts'
import { drawSecret, hashSecret } from './secrets.ts'
import type { Tokens } from './tokens.ts'

const REFRESH_TOKEN_MS = 12 * 3_600_000
/** Two tabs may renew at the same moment: the same refresh token is taken again for this long. */
const REUSE_GRACE_MS = 10_000

export interface AuthPorts {
  database: Database
  repository: AuthRepository
  operators: OperatorRepository
  passwords: Passwords
  tokens: Tokens
  throttles: Throttles
  journal: Journal
  clock: Clock
}

export type AuthService = ReturnType<typeof createAuthService>

export function createAuthService(ports: AuthPorts) {
  const { database, repository, operators, passwords, tokens, throttles, journal, clock } = ports

  async function issue(operator: OperatorRow, familyId: string): Promise<TokenPair> {
    const refresh = drawSecret()
    await repository.insertRefreshToken({
      tokenHash: hashSecret(refresh),
      familyId,
      operatorId: operator.id,
      expiresAtMs: clock.nowMs() + REFRESH_TOKEN_MS,
      usedAtMs: null,
    })
    const { id: sub, username, role } = operator
    return { access: await tokens.sign({ sub, username, role }), refresh }
  }

  return {
    async login({ username, password }: LoginInput, ip: string): Promise<Result<TokenPair>> {
      const counters: ThrottleSubject[] = [
        { kind: 'account-login', username },
        { kind: 'account-address-login', ip, username },
      ]
      const retryAfterSeconds = await throttles.waitSeconds(counters)
      if (retryAfterSeconds > 0) return failure('login-throttled', { retryAfterSeconds })
      const operator = await operators.findByUsername(username)
      const isRight = await passwords.verify(password, operator?.passwordHash)
      if (isRight === undefined) return failure('login-throttled', { retryAfterSeconds: 2 })
      return database.write(async () => {
        if (!operator?.isActive || !isRight) {
          await throttles.countFailure(counters)
          const actor = { type: 'system', id: operator?.id ?? 'unknown', label: 'login' } as const
          await journal.append({ action: 'auth.login_failed', level: 'warning', actor, ip })
          return failure('login-failed')
        }
        await throttles.clear(counters)
        const actor = { type: 'operator', id: operator.id, label: operator.username } as const
        await journal.append({ action: 'auth.login_succeeded', actor, ip })
        await repository.deleteExpired(clock.nowMs())
        return success(await issue(operator, randomUUID()))
      })
    },

    /** Rotates a refresh token. One used again after the grace revokes every token of its family. */
    async refresh(refresh: string): Promise<Result<TokenPair>> {
      return database.write(async () => {
        const token = await repository.findRefreshToken(hashSecret(refresh))
        const nowMs = clock.nowMs()
        if (!token || token.expiresAtMs <= nowMs) return failure('unauthenticated')
        const operator = await operators.find(token.operatorId)
        const isReused = token.usedAtMs !== null && nowMs > token.usedAtMs + REUSE_GRACE_MS
        if (!operator?.isActive || isReused) {
          await repository.deleteFamily(token.familyId)
          if (operator && isReused) {
            const actor = { type: 'operator', id: operator.id, label: operator.username } as const
            await journal.append({ action: 'auth.token_reused', level: 'warning', actor })
          }
          return failure('unauthenticated')
        }
        if (token.usedAtMs === null) await repository.markUsed(token.tokenHash, nowMs)
        return success(await issue(operator, token.familyId))
      })
    },

    /** The operator behind an access token; undefined when the token or the operator no longer holds. */
    async authenticate(access: string) {
      const claims = await tokens.verify(access)
      if (!claims) return undefined
      const operator = await operators.find(claims.sub)
      return operator?.isActive ? { ...claims, role: operator.role } : undefined
    },
  }
}
