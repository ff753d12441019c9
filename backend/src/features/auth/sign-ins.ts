import { randomUUID } from 'node:crypto'
import { normaliseUsername, type LoginInput, type TokenPair } from '@escale/protocol'
import type { OperatorRow, RefreshTokenRow } from '../../db/rows.ts'
import { failure, success, type Result } from '../../errors.ts'
import type { BasePorts } from '../base-ports.ts'
import type { SignInAddresses } from './address-repository.ts'
import type { PasswordCheck } from './password-check.ts'
import type { AuthRepository } from './repository.ts'
import { drawSecret, hashSecret } from '../../crypto/secrets.ts'
import type { Tokens } from './tokens.ts'

const HOUR_MS = 3_600_000
const REFRESH_TOKEN_MS = 12 * HOUR_MS
/** How long a sign-in lasts, however often it is renewed. */
const FAMILY_MS = 7 * 24 * HOUR_MS
/** Two tabs may renew at the same moment: a refresh token that was used is accepted again for this long. */
const REUSE_GRACE_MS = 10_000

/** What signing in needs to know of operators. */
interface SignInOperators {
  find(id: string): Promise<OperatorRow | undefined>
  /** However the name is typed. */
  findByTypedName(typed: string): Promise<OperatorRow | undefined>
}

export interface SignInPorts extends BasePorts {
  repository: AuthRepository
  operators: SignInOperators
  addresses: Pick<SignInAddresses, 'forget'>
  passwordCheck: PasswordCheck
  tokens: Tokens
}

export type SignIns = ReturnType<typeof createSignIns>

interface EndOptions {
  keptId?: string | undefined
  hasNewPassword: boolean
}

/** A sign-in is a family of tokens. They are valid only while the family is: ending it ends all of them. */
export function createSignIns(ports: SignInPorts) {
  const { database, repository, operators, addresses, passwordCheck, tokens, journal, clock } = ports

  async function issue(
    operator: OperatorRow,
    { familyId, familyEndsAtMs }: Pick<RefreshTokenRow, 'familyId' | 'familyEndsAtMs'>,
  ): Promise<TokenPair> {
    const refresh = drawSecret()
    await repository.insert({
      tokenHash: hashSecret(refresh),
      familyId,
      operatorId: operator.id,
      expiresAtMs: Math.min(clock.nowMs() + REFRESH_TOKEN_MS, familyEndsAtMs),
      usedAtMs: null,
      familyEndsAtMs,
    })
    const { id: sub, username, role } = operator
    return { access: await tokens.sign({ sub, username, role, sid: familyId }, familyEndsAtMs), refresh }
  }

  /** The token as the database has it; undefined once it has expired. */
  async function findToken(refresh: string): Promise<RefreshTokenRow | undefined> {
    const token = await repository.find(hashSecret(refresh))
    return token && token.expiresAtMs > clock.nowMs() ? token : undefined
  }

  const actorOf = ({ id, username }: OperatorRow) => ({ type: 'operator', id, label: username }) as const

  return {
    async login({ username: typed, password }: LoginInput, ip: string): Promise<Result<TokenPair>> {
      const operator = await operators.findByTypedName(typed)
      const attempt = { username: operator?.username ?? normaliseUsername(typed), operator, password, ip }
      const judged = await passwordCheck.judge(attempt)
      if (!judged.ok) return judged
      return database.write(async () => {
        // While the password was checked, it may have been changed, or the operator disabled.
        const current = operator && (await operators.find(operator.id))
        const isCurrent = current?.isActive && current.passwordHash === operator?.passwordHash
        if (!current || !isCurrent || !judged.value) {
          await passwordCheck.countFailure(attempt)
          const actor = { type: 'system', id: operator?.id ?? 'unknown', label: 'login' } as const
          await journal.append({ action: 'auth.login_failed', level: 'warning', actor, ip })
          return failure('login-failed')
        }
        const nowMs = clock.nowMs()
        await passwordCheck.noteSuccess(attempt, current.id)
        await journal.append({ action: 'auth.login_succeeded', actor: actorOf(current), ip })
        await repository.removeExpired(nowMs)
        const family = { familyId: randomUUID(), familyEndsAtMs: nowMs + FAMILY_MS }
        return success(await issue(current, family))
      })
    },

    /** Exchanges a refresh token for new tokens. A token that is used again later was stolen: its family ends. */
    async refresh(refresh: string): Promise<Result<TokenPair>> {
      // Checked before the write as well: an unknown token costs one read, and no turn to write.
      if (!(await findToken(refresh))) return failure('unauthenticated')
      return database.write(async () => {
        const token = await findToken(refresh)
        const operator = token && (await operators.find(token.operatorId))
        if (!token || !operator) return failure('unauthenticated')
        const nowMs = clock.nowMs()
        const isReused = token.usedAtMs !== null && nowMs > token.usedAtMs + REUSE_GRACE_MS
        if (!operator.isActive || isReused) {
          await repository.removeFamily(token.familyId)
          const actor = actorOf(operator)
          if (isReused) await journal.append({ action: 'auth.token_reused', level: 'warning', actor })
          return failure('unauthenticated')
        }
        if (token.usedAtMs === null) await repository.markUsed(token.tokenHash, nowMs)
        return success(await issue(operator, token))
      })
    },

    /** Ends a sign-in and all of its tokens; a token that is no longer valid changes nothing. */
    async revoke(refresh: string): Promise<void> {
      if (!(await findToken(refresh))) return
      await database.write(async () => {
        const token = await findToken(refresh)
        const operator = token && (await operators.find(token.operatorId))
        if (!token || !operator) return
        await repository.removeFamily(token.familyId)
        await journal.append({ action: 'auth.signed_out', actor: actorOf(operator) })
      })
    },

    /**
     * Ends the sign-ins of an operator. Call inside a write.
     * @param options.keptId the sign-in that goes on
     * @param options.hasNewPassword forgets the addresses from which they signed in with the old one
     */
    async endAllOf(operatorId: string, { keptId, hasNewPassword }: EndOptions): Promise<void> {
      await repository.removeOf(operatorId, keptId)
      if (hasNewPassword) await addresses.forget(operatorId)
    },

    /** Which of the given sign-ins have not ended. */
    living: repository.liveFamilies,

    /** The operator behind an access token; undefined when the token or its sign-in has ended, or they are disabled. */
    async authenticate(access: string) {
      const claims = await tokens.verify(access)
      if (!claims) return undefined
      const [operator, isSignedIn] = await Promise.all([
        operators.find(claims.sub),
        claims.sid === undefined || repository.isFamilyAlive(claims.sid),
      ])
      return operator?.isActive && isSignedIn ? { ...claims, role: operator.role } : undefined
    },
  }
}
