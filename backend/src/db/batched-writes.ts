import { setTimeout as pause } from 'node:timers/promises'

/** Runs work in one write transaction. */
export type Write = <T>(work: () => Promise<T>) => Promise<T>

/** A write shared by so many items is one of a crowd: the next one may wait for more of it. */
const CROWD = 4

interface Batch<T> {
  readonly items: T[]
  written?: Promise<void>
}

/**
 * Commits items together: those that arrive during a write share the next one. So many items at once need only a few
 * transactions, and a single item does not wait.
 * @param commit stores the items, in the order of arrival; it may be called again
 * @param atMost the maximum number of items in a transaction
 * @returns a function that adds an item; it resolves after the commit
 */
export function createBatchedWrites<T>(
  database: { write: Write },
  commit: (items: readonly T[]) => Promise<void>,
  { atMost = Infinity, crowdMs = 0 } = {},
) {
  let open: Batch<T> | undefined
  let lastCrowdMs = -Infinity

  function begin(item: T): Promise<void> {
    const batch: Batch<T> = { items: [item] }
    open = batch
    const close = () => {
      if (open === batch) open = undefined
    }
    const write = () =>
      database.write(() => {
        close()
        if (batch.items.length >= CROWD) lastCrowdMs = performance.now()
        return commit(batch.items)
      })
    const waitMs = lastCrowdMs + crowdMs - performance.now()
    batch.written = waitMs > 0 ? pause(waitMs).then(write) : write()
    // The write was refused before it began, for example because the database is locked. The next items must not wait
    // for it.
    batch.written.catch(close)
    return batch.written
  }

  return {
    /** Adds an item; resolves once it is committed. */
    add(item: T): Promise<void> {
      if (!open?.written || open.items.length >= atMost) return begin(item)
      open.items.push(item)
      return open.written
    },
    /** Resolves once no item waits for its write to begin any more. */
    async settled(): Promise<void> {
      await open?.written?.catch(() => undefined)
    },
  }
}
