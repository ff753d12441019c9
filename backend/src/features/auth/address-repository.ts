import { Op } from 'sequelize'
import { addressGroupOf } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Tables } from '../../db/database.ts'
import { openTable } from '../../db/table.ts'
import { keyedHash } from '../../crypto/secrets.ts'

/** How long an address is remembered after the last sign-in from it. */
const REMEMBERED_MS = 30 * 24 * 3_600_000

/** What is known about the address from which somebody signs in. */
export interface Standing {
  /** Some operator has signed in from it in the last 30 days. */
  isKnown: boolean
  /** The operator who signs in now has. */
  isKnownForOperator: boolean
}

export type SignInAddresses = ReturnType<typeof createSignInAddresses>

/**
 * Addresses from which operators signed in, kept as hashes. Wrong passwords that come from other addresses do not block
 * an operator at one of these.
 */
export function createSignInAddresses(tables: Tables, key: Buffer, clock: Clock) {
  const { findAll, save, removeAll } = openTable(tables, 'signInAddresses')
  const hashOf = (ip: string) => keyedHash(key, `address ${addressGroupOf(ip)}`)
  return {
    async standingOf(ip: string, operatorId: string | undefined): Promise<Standing> {
      const sinceMs = clock.nowMs() - REMEMBERED_MS
      const rows = await findAll({ addressHash: hashOf(ip), lastAtMs: { [Op.gt]: sinceMs } })
      return {
        isKnown: rows.length > 0,
        isKnownForOperator: rows.some((row) => row.operatorId === operatorId),
      }
    },
    /** Call inside a write. */
    async remember(ip: string, operatorId: string): Promise<void> {
      const lastAtMs = clock.nowMs()
      await save({ operatorId, addressHash: hashOf(ip), lastAtMs })
      await removeAll({ lastAtMs: { [Op.lte]: lastAtMs - REMEMBERED_MS } })
    },
    /** Call inside a write, when the password changes: whoever signed in with the old one is unknown again. */
    async forget(operatorId: string): Promise<void> {
      await removeAll({ operatorId })
    },
  }
}
