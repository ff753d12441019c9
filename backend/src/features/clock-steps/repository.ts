import type { Tables } from '../../db/database.ts'

const ID = 1

export function createServerClockRepository({ models: { serverClock }, scope }: Tables) {
  return {
    /** The saved instant that the server's clock has not passed, Unix milliseconds; undefined before the first save. */
    async reachedMs(): Promise<number | undefined> {
      return (await serverClock.findByPk(ID, scope()))?.get().reachedMs
    },
    async save(reachedMs: number): Promise<void> {
      await serverClock.upsert({ id: ID, reachedMs }, scope())
    },
  }
}
