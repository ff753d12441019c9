import type { Database } from './database.ts'

/**
 * Commits items together: those that come while a write is under way share the next one. So a room that does
 * something at once costs a few transactions, and one station alone waits for nobody.
 * @param commit stores the items, in the order in which they came; it may be asked to do it again
 * @returns adds an item; resolves once it is committed
 */
export function createBatchedWrites<T>(
  database: Pick<Database, 'write'>,
  commit: (items: readonly T[]) => Promise<void>,
): (item: T) => Promise<void> {
  let waiting: T[] = []
  let next: Promise<void> | undefined

  function commitNext(): Promise<void> {
    let taken: readonly T[] | undefined
    function take(): readonly T[] {
      taken = waiting
      waiting = []
      next = undefined
      return taken
    }
    const written = database.write(() => commit(taken ?? take()))
    // Refused before it began, as while the database is locked: the next items must not wait for it.
    written.catch(() => taken ?? take())
    return written
  }

  return (item) => {
    waiting.push(item)
    return (next ??= commitNext())
  }
}
