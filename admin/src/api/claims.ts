import type { AccessClaims } from '@escale/protocol'

/**
 * What an access token says of its bearer, unverified: good for showing a name and timing a renewal,
 * never for a decision about rights, which is the server's.
 */
export function claimsOf(token: string): AccessClaims | undefined {
  const payload = token.split('.').find((part) => part.startsWith('ey') && !isHeader(part))
  return payload === undefined ? undefined : decoded<AccessClaims>(payload)
}

const isHeader = (part: string) => decoded<{ alg?: string }>(part)?.alg !== undefined

function decoded<T>(part: string): T | undefined {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
      character.charCodeAt(0),
    )
    return JSON.parse(new TextDecoder().decode(bytes)) as T
  } catch {
    return undefined
  }
}
