import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const IV_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'

export type Sealer = ReturnType<typeof createSealer>

/**
 * Encrypts texts in the database that must be readable again. A copy of the database alone does not reveal them.
 * @param key the installation's key, stored outside the database; the encryption key is derived from it
 */
export function createSealer(key: Buffer) {
  const sealingKey = Buffer.from(hkdfSync('sha256', key, '', 'escale sealed text', 32))
  return {
    /** @returns base64url */
    seal(text: string): string {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv(CIPHER, sealingKey, iv)
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')
    },
    /** @returns undefined if the text was sealed with another key or was changed */
    open(sealed: string): string | undefined {
      const bytes = Buffer.from(sealed, 'base64url')
      try {
        const decipher = createDecipheriv(CIPHER, sealingKey, bytes.subarray(0, IV_BYTES))
        decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
        const body = bytes.subarray(IV_BYTES + TAG_BYTES)
        return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}
