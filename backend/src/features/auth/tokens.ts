import { SignJWT, jwtVerify } from 'jose'
import { AccessClaims, SECOND_MS } from '@escale/protocol'
import { Check } from 'typebox/value'
import type { Clock } from '../../clock.ts'

export const ACCESS_TOKEN_SECONDS = 600
const ISSUER = 'escale'

export type Tokens = ReturnType<typeof createTokens>

/** Access tokens: signed with HS256 by a key of this installation, good for ten minutes. */
export function createTokens(key: Uint8Array, clock: Clock) {
  return {
    /** @param untilMs when the sign-in ends, if that is sooner than the token would */
    sign(claims: Omit<AccessClaims, 'exp'>, untilMs = Infinity): Promise<string> {
      const issuedAt = Math.floor(clock.nowMs() / SECOND_MS)
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(ISSUER)
        .setIssuedAt(issuedAt)
        .setExpirationTime(Math.min(issuedAt + ACCESS_TOKEN_SECONDS, Math.floor(untilMs / SECOND_MS)))
        .sign(key)
    },
    /** undefined for a token that is forged, foreign, malformed or expired. */
    async verify(token: string): Promise<AccessClaims | undefined> {
      try {
        const currentDate = new Date(clock.nowMs())
        const options = { issuer: ISSUER, algorithms: ['HS256'], currentDate }
        const { payload } = await jwtVerify(token, key, options)
        return Check(AccessClaims, payload) ? payload : undefined
      } catch {
        return undefined
      }
    },
  }
}
