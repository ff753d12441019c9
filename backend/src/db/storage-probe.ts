import pTimeout from 'p-timeout'
import type { Store } from './database.ts'
import { putMark } from './marks.ts'
import { storageFaultOf, type StorageFault } from './storage-fault.ts'

/** After a write that succeeded within this time, no probe is written. */
const FRESH_MS = 2_000
/** The answer comes within this time, even while a lock is waited for. */
const ANSWER_WITHIN_MS = 2_000

export interface StorageProbe {
  /** Why writes fail now; undefined if one has just succeeded. */
  check(): Promise<StorageFault | undefined>
}

/** Checks whether the database accepts writes, with a probe at most every two seconds. */
export function createStorageProbe(
  database: Pick<Store, 'write' | 'storage' | 'sequelize' | 'scope'>,
): StorageProbe {
  let underWay: { since: number; outcome: Promise<StorageFault | undefined> } | undefined

  function probe(): Promise<StorageFault | undefined> {
    return database
      .write(() => putMark(database, 'stored', new Date().toISOString()))
      .then(
        () => undefined,
        (err: unknown) => database.storage().fault ?? storageFaultOf(err) ?? 'failing',
      )
      .finally(() => {
        underWay = undefined
      })
  }

  return {
    async check() {
      const { fault, storedAtMs } = database.storage()
      const now = performance.now()
      if (fault === undefined && now - storedAtMs < FRESH_MS) return undefined
      underWay ??= { since: now, outcome: probe() }
      const leftMs = underWay.since + ANSWER_WITHIN_MS - now
      if (leftMs <= 0) return fault ?? 'locked'
      return pTimeout(underWay.outcome, { milliseconds: leftMs, fallback: () => fault ?? 'locked' })
    },
  }
}
