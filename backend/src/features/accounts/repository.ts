import { Op } from 'sequelize'
import type { AccountQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { AccountRow } from '../../db/rows.ts'
import { equalTo } from '../../db/where.ts'
import type { PageWindow, Rows } from '../../db/page-window.ts'

export type AccountFilter = Omit<AccountQuery, 'page' | 'pageSize' | 'ordering'>
export type AccountRepository = ReturnType<typeof createAccountRepository>

export function createAccountRepository({ models: { accounts }, scope, containing }: Tables) {
  return {
    async find(id: string): Promise<AccountRow | undefined> {
      return (await accounts.findByPk(id, scope()))?.get()
    },
    async findAll(ids: string[]): Promise<AccountRow[]> {
      const rows = await accounts.findAll({ where: { id: ids }, ...scope() })
      return rows.map((row) => row.get())
    },
    async insert(row: AccountRow): Promise<void> {
      await accounts.create(row, scope())
    },
    async update(row: AccountRow): Promise<void> {
      await accounts.update(row, { where: { id: row.id }, ...scope() })
    },
    async remove(id: string): Promise<void> {
      await accounts.destroy({ where: { id }, ...scope() })
    },
    async list(
      { search, ...equal }: AccountFilter,
      { limit, offset, order }: PageWindow,
    ): Promise<Rows<AccountRow>> {
      const conditions = [equalTo<AccountRow>(equal)]
      if (search) conditions.push(containing<AccountRow>(['id', 'label'], search))
      const { count, rows } = await accounts.findAndCountAll({
        where: { [Op.and]: conditions },
        order: [...(order ? [order] : []), ['id', 'ASC']],
        limit,
        offset,
        ...scope(),
      })
      return { count, rows: rows.map((row) => row.get()) }
    },
  }
}
