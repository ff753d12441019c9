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
    const add = createBatchedWrites<number>(database, (items) => {
      stored.push(...items)
      return Promise.resolve()
    })
    await expect(Promise.all([add(1), add(2)])).rejects.toThrow('locked')
    isRefusing = false
    await add(3)
    // The callers of refused writes got an error, and try again themselves.
    expect(stored).toEqual([3])
  })
})
