import type { Database } from './database.ts'

interface Batch<T> {
  readonly items: T[]
  written?: Promise<void>
}

/**
 * Commits items together: those that come while a write is under way share the next one. So a room that does
 * something at once costs a few transactions, and one station alone waits for nobody.
 * @param commit stores the items, in the order in which they came; it may be asked to do it again
 * @param atMost how many items share a transaction
 * @returns adds an item; resolves once it is committed
 */
export function createBatchedWrites<T>(
  database: Pick<Database, 'write'>,
  commit: (items: readonly T[]) => Promise<void>,
  atMost = Infinity,
): (item: T) => Promise<void> {
  let open: Batch<T> | undefined

  function begin(item: T): Promise<void> {
    const batch: Batch<T> = { items: [item] }
    open = batch
    const close = () => {
      if (open === batch) open = undefined
    }
    batch.written = database.write(() => {
      close()
      return commit(batch.items)
    })
    // Refused before it began, as while the database is locked: the next items must not wait for it.
    batch.written.catch(close)
    return batch.written
  }

  return (item) => {
    if (!open?.written || open.items.length >= atMost) return begin(item)
    open.items.push(item)
    return open.written
  }
}
