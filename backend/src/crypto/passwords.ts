import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { createPasswordPlaces, type Caller } from './password-places.ts'

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt)

/** 128 MiB and about half a second of one core: guessing costs much, signing in little enough. */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 }
const KEY_BYTES = 32
const SALT_BYTES = 16

export interface Passwords {
  /** `scrypt$<salt>$<key>`, base64url. */
  hash(password: string): Promise<string>
  /** Takes as long where there is no account (`hash` undefined). @returns undefined when too many wait */
  verify(password: string, hash: string | undefined, caller: Caller): Promise<boolean | undefined>
}

/** Hashes passwords off the event loop, at most two at a time, so that logins cannot take all of the server. */
export function createPasswords(): Passwords {
  const places = createPasswordPlaces()
  const nobody = randomBytes(SALT_BYTES)

  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES)
      const text = password.normalize('NFC')
      const derived = await places.afterOthers(() => derive(text, salt, KEY_BYTES, COST))
      return `scrypt$${salt.toString('base64url')}$${derived.toString('base64url')}`
    },
    verify(password, hash, caller) {
      const [, salt, key] = hash?.split('$') ?? []
      const saltBytes = salt === undefined ? nobody : Buffer.from(salt, 'base64url')
      const expected = key === undefined ? undefined : Buffer.from(key, 'base64url')
      return places.judge(caller, async () => {
        for (const form of formsOf(password)) {
          const derived = await derive(form, saltBytes, KEY_BYTES, COST)
          if (expected?.length === KEY_BYTES && timingSafeEqual(derived, expected)) return true
        }
        return false
      })
    },
  }
}

/**
 * The same letters in the Unicode forms that keyboards and clipboards give. New hashes are made of NFC; older ones of
 * the form that was typed.
 */
function formsOf(password: string): string[] {
  return [...new Set([password.normalize('NFC'), password, password.normalize('NFD')])]
}
