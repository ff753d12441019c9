import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** A random secret of 256 bits, base64url. It never begins with a dash, which a command line takes for an option. */
export function drawSecret(): string {
  const secret = randomBytes(32).toString('base64url')
  return secret.startsWith('-') ? drawSecret() : secret
}

/** SHA-256, hex: enough for drawn secrets, which cannot be guessed; never for passwords. */
export const hashSecret = (secret: string) => createHash('sha256').update(secret).digest('hex')

/** Keyed hash, hex: for short texts that could be guessed from a plain hash, such as access codes. */
export const keyedHash = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest('hex')

/** Compares a secret with a stored hash in constant time; false when there is none. */
export function isSecret(secret: string, hash: string | null | undefined): boolean {
  if (!hash) return false
  return timingSafeEqual(Buffer.from(hashSecret(secret), 'hex'), Buffer.from(hash, 'hex'))
}
