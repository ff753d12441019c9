import { describe, expect, it } from 'vitest'
import { createBatchedWrites } from './batched-writes.ts'

describe('writes that share a transaction', () => {
  it('continue after a write that was refused before it began', async () => {
    const stored: number[] = []
    let isRefusing = true
    const database = {
      write: <T>(work: () => Promise<T>): Promise<T> =>
        isRefusing ? Promise.reject(new Error('locked')) : work(),
    }
    const { add } = createBatchedWrites<number>(database, (items) => {
      stored.push(...items)
      return Promise.resolve()
    })
    await expect(Promise.all([add(1), add(2)])).rejects.toThrow('locked')
    isRefusing = false
    await add(3)
    // The callers of refused writes got an error, and try again themselves.
    expect(stored).toEqual([3])
  })

  it('wait for more items after those of a crowd, and resolve once theirs are committed', async () => {
    const batches: (readonly number[])[] = []
    // As the database does, one write after the other.
    let queue: Promise<unknown> = Promise.resolve()
    const database = {
      write<T>(work: () => Promise<T>): Promise<T> {
        const turn = queue.then(work)
        queue = turn
        return turn
      },
    }
    const { add, settled } = createBatchedWrites<number>(
      database,
      (items) => {
        batches.push(items)
        return Promise.resolve()
      },
      { crowdMs: 50 },
    )
    const startedMs = performance.now()
    await add(1)
    await Promise.all([2, 3, 4, 5].map(add))
    void add(6)
    await new Promise((resolve) => setImmediate(resolve))
    expect(batches).toEqual([[1], [2, 3, 4, 5]])
    void add(7)
    await settled()
    expect(batches).toEqual([[1], [2, 3, 4, 5], [6, 7]])
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(49)
  })
})
