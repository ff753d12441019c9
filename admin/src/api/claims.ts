import type { AccessClaims } from '@escale/protocol'

/**
 * The claims in an access token (a JWT), not verified. They are good enough to show a name and to time a renewal.
 * Only the server decides about rights.
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
