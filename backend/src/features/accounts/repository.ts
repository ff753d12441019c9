import type { AccountQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import { openTable } from '../../db/table.ts'

export type AccountRepository = ReturnType<typeof createAccountRepository>

export function createAccountRepository(tables: Tables) {
  const { find, get, findAll, insert, update, remove, page } = openTable(tables, 'accounts')
  return {
    find,
    get,
    insert,
    update,
    remove,
    findSeveral: (ids: string[]) => findAll({ id: ids }),
    list: (query: AccountQuery) =>
      page(query, {
        orderable: ['id', 'kind', 'label', 'role', 'isActive', 'createdAt', 'updatedAt'],
        searched: ['id', 'label'],
        order: [['id', 'ASC']],
      }),
  }
}
