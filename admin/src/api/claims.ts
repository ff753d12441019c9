import type { AccessClaims } from '@escale/protocol'

/**
 * What an access token (a JWT) says of its bearer, unverified: good for showing a name and timing a
 * renewal, never for a decision about rights, which is the server's.
 */
export function claimsOf(token: string): AccessClaims | undefined {
  const payload = token.split('.')[1] ?? ''
  try {
    const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
    return JSON.parse(new TextDecoder().decode(bytes)) as AccessClaims
  } catch {
    return undefined
  }
}
