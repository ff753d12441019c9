import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { createPasswordQueue, type Caller } from './password-queue.ts'

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt)

/** 128 MiB and about half a second of one core: expensive for guessing, acceptable for a sign-in. */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 }
const KEY_BYTES = 32
const SALT_BYTES = 16

export type Passwords = ReturnType<typeof createPasswords>

/** Hashes passwords outside the event loop, at most two at a time, so that sign-ins cannot use the whole server. */
export function createPasswords() {
  const queue = createPasswordQueue()
  const dummySalt = randomBytes(SALT_BYTES)

  return {
    /** `scrypt$<salt>$<key>`, base64url. */
    async hash(password: string): Promise<string> {
      const salt = randomBytes(SALT_BYTES)
      const text = password.normalize('NFC')
      const derived = await queue.runQueued(() => derive(text, salt, KEY_BYTES, COST))
      return `scrypt$${salt.toString('base64url')}$${derived.toString('base64url')}`
    },
    /** Takes the same time without an account (`hash` undefined). @returns undefined if too many checks are waiting */
    verify(password: string, hash: string | undefined, caller: Caller): Promise<boolean | undefined> {
      const [, salt, key] = hash?.split('$') ?? []
      const saltBytes = salt === undefined ? dummySalt : Buffer.from(salt, 'base64url')
      const expected = key === undefined ? undefined : Buffer.from(key, 'base64url')
      return queue.check(caller, async () => {
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
 * The password in the Unicode forms that keyboards and clipboards produce. New hashes use NFC; older hashes use the
 * form that was typed.
 */
function formsOf(password: string): string[] {
  return [...new Set([password.normalize('NFC'), password, password.normalize('NFD')])]
}
