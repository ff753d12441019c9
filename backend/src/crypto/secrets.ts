import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** A random secret of 256 bits, base64url. It never begins with a dash, because a command line would read an option. */
export function drawSecret(): string {
  const secret = randomBytes(32).toString('base64url')
  return secret.startsWith('-') ? drawSecret() : secret
}

/** SHA-256, hex. Only for random secrets, which cannot be guessed; never for passwords. */
export const hashSecret = (secret: string) => createHash('sha256').update(secret).digest('hex')

/** Keyed hash (HMAC), hex. For short texts that could be guessed from a plain hash, such as access codes. */
export const keyedHash = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest('hex')

/** Compares a secret with a stored hash in constant time; false without a hash. */
export function isSecret(secret: string, hash: string | null | undefined): boolean {
  if (!hash) return false
  return timingSafeEqual(Buffer.from(hashSecret(secret), 'hex'), Buffer.from(hash, 'hex'))
}
