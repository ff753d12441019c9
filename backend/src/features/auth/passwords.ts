import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt)

/** 128 MiB and about half a second of one core: dear to guess, bearable to sign in. */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 }
const KEY_BYTES = 32
const SALT_BYTES = 16
const MAX_QUEUED = 4

export interface Passwords {
  /** `scrypt$<salt>$<key>`, base64url. */
  hash(password: string): Promise<string>
  /** Takes as long for an account that does not exist (`undefined`). @returns undefined when too many wait */
  verify(password: string, hash: string | undefined): Promise<boolean | undefined>
}

/** Hashes passwords off the event loop, one at a time, so that logins cannot starve the server. */
export function createPasswords(): Passwords {
  let waiting = 0
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work)
    turn = result.catch((): undefined => undefined)
    return result
  }
  const nobody = randomBytes(SALT_BYTES)

  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES)
      const derived = await inTurn(() => derive(password, salt, KEY_BYTES, COST))
      return `scrypt$${salt.toString('base64url')}$${derived.toString('base64url')}`
    },
    async verify(password, hash) {
      if (waiting >= MAX_QUEUED) return undefined
      waiting += 1
      try {
        const [, salt, expected] = hash?.split('$') ?? []
        const saltBytes = salt === undefined ? nobody : Buffer.from(salt, 'base64url')
        const derived = await inTurn(() => derive(password, saltBytes, KEY_BYTES, COST))
        return expected !== undefined && timingSafeEqual(derived, Buffer.from(expected, 'base64url'))
      } finally {
        waiting -= 1
      }
    },
  }
}
