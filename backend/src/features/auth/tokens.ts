import { SignJWT, jwtVerify } from 'jose'
import { AccessClaims, SECOND_MS } from '@escale/protocol'
import { Check } from 'typebox/value'
import type { Clock } from '../../clock.ts'

export const ACCESS_TOKEN_SECONDS = 600
const ISSUER = 'escale'

export interface Tokens {
  /** @param untilMs when the sign-in ends, if that is sooner than the token would */
  sign(claims: Omit<AccessClaims, 'exp'>, untilMs?: number): Promise<string>
  /** undefined for a token that is forged, foreign, malformed or expired. */
  verify(token: string): Promise<AccessClaims | undefined>
}

/** Access tokens: signed with HS256 by a key of this installation, good for ten minutes. */
export function createTokens(key: Uint8Array, clock: Clock): Tokens {
  return {
    sign(claims, untilMs = Infinity) {
      const issuedAt = Math.floor(clock.nowMs() / SECOND_MS)
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(ISSUER)
        .setIssuedAt(issuedAt)
        .setExpirationTime(Math.min(issuedAt + ACCESS_TOKEN_SECONDS, Math.floor(untilMs / SECOND_MS)))
        .sign(key)
    },
    async verify(token) {
      try {
        const currentDate = new Date(clock.nowMs())
        const { payload } = await jwtVerify(token, key, {
          issuer: ISSUER,
          algorithms: ['HS256'],
          currentDate,
        })
        return Check(AccessClaims, payload) ? payload : undefined
      } catch {
        return undefined
      }
    },
  }
}
