import { Op } from 'sequelize'
import { addressGroupOf } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Tables } from '../../db/database.ts'
import { keyedHash } from '../../crypto/secrets.ts'

/** How long an address is remembered after the last sign-in from it. */
const REMEMBERED_MS = 30 * 24 * 3_600_000

/** What is known of the address that somebody signs in from. */
export interface Standing {
  /** Some operator has signed in from there lately. */
  isKnown: boolean
  /** This one has. */
  isKnownForOperator: boolean
}

export type SignInAddresses = ReturnType<typeof createSignInAddresses>

/** Addresses from which operators signed in lately: a stranger elsewhere must not keep them out. Only hashes are kept. */
export function createSignInAddresses(
  { models: { signInAddresses }, scope }: Tables,
  key: Buffer,
  clock: Clock,
) {
  const hashOf = (ip: string) => keyedHash(key, `address ${addressGroupOf(ip)}`)
  return {
    async standingOf(ip: string, operatorId: string | undefined): Promise<Standing> {
      const where = { addressHash: hashOf(ip), lastAtMs: { [Op.gt]: clock.nowMs() - REMEMBERED_MS } }
      const rows = await signInAddresses.findAll({ where, ...scope() })
      return {
        isKnown: rows.length > 0,
        isKnownForOperator: rows.some((row) => row.get().operatorId === operatorId),
      }
    },
    /** Call inside a write. */
    async remember(ip: string, operatorId: string): Promise<void> {
      const lastAtMs = clock.nowMs()
      await signInAddresses.upsert({ operatorId, addressHash: hashOf(ip), lastAtMs }, scope())
      await signInAddresses.destroy({
        where: { lastAtMs: { [Op.lte]: lastAtMs - REMEMBERED_MS } },
        ...scope(),
      })
    },
    /** Call inside a write: whoever signed in with what holds no longer is a stranger again. */
    async forget(operatorId: string): Promise<void> {
      await signInAddresses.destroy({ where: { operatorId }, ...scope() })
    },
  }
}
