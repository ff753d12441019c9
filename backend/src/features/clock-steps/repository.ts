import type { Tables } from '../../db/database.ts'
import { openTable } from '../../db/table.ts'

const ID = 1

export function createServerClockRepository(tables: Tables) {
  const { find, save } = openTable(tables, 'serverClock')
  return {
    /** The saved instant that the server's clock has not passed, Unix milliseconds; undefined before the first save. */
    reachedMs: async () => (await find(ID))?.reachedMs,
    save: (reachedMs: number) => save({ id: ID, reachedMs }),
  }
}
