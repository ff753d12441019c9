import { normaliseUsername, type OperatorQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { OperatorRow } from '../../db/rows.ts'
import { openTable } from '../../db/table.ts'

export type OperatorRepository = ReturnType<typeof createOperatorRepository>

export function createOperatorRepository(tables: Tables) {
  const { find, get, findAll, insert, update, count, page } = openTable(tables, 'operators')
  return {
    find,
    get,
    insert,
    update,
    count,
    findAll: () => findAll(),
    /** In any case. A name that an earlier release stored with capitals is first searched as typed. */
    async findByTypedName(typed: string): Promise<OperatorRow | undefined> {
      const rows = await findAll({ username: [typed, normaliseUsername(typed)] })
      return rows.find(({ username }) => username === typed) ?? rows[0]
    },
    list: (query: OperatorQuery) =>
      page(query, {
        orderable: ['username', 'role', 'isActive', 'createdAt'],
        searched: ['username'],
        order: [['username', 'ASC']],
      }),
  }
}
