import { Op } from 'sequelize'
import { normaliseUsername, type OperatorQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { OperatorRow } from '../../db/rows.ts'
import { equalTo } from '../../db/where.ts'
import type { PageWindow, Rows } from '../../db/page-window.ts'

export type OperatorFilter = Omit<OperatorQuery, 'page' | 'pageSize' | 'ordering'>
export type OperatorRepository = ReturnType<typeof createOperatorRepository>

export function createOperatorRepository({ models: { operators }, scope, containing }: Tables) {
  return {
    async count(where: Partial<Pick<OperatorRow, 'role' | 'isActive'>> = {}): Promise<number> {
      return operators.count({ where, ...scope() })
    },
    async find(id: string): Promise<OperatorRow | undefined> {
      return (await operators.findByPk(id, scope()))?.get()
    },
    /** Whatever the case. A name that was kept with capitals by an earlier release is found as typed first. */
    async findByTypedName(typed: string): Promise<OperatorRow | undefined> {
      const names = [typed, normaliseUsername(typed)]
      const rows = (await operators.findAll({ where: { username: names }, ...scope() })).map((row) =>
        row.get(),
      )
      return rows.find(({ username }) => username === typed) ?? rows[0]
    },
    async findAll(): Promise<OperatorRow[]> {
      return (await operators.findAll(scope())).map((row) => row.get())
    },
    async insert(row: OperatorRow): Promise<void> {
      await operators.create(row, scope())
    },
    async update(row: OperatorRow): Promise<void> {
      await operators.update(row, { where: { id: row.id }, ...scope() })
    },
    async list(
      { search, ...equal }: OperatorFilter,
      { limit, offset, order }: PageWindow,
    ): Promise<Rows<OperatorRow>> {
      const conditions = [equalTo<OperatorRow>(equal)]
      if (search) conditions.push(containing<OperatorRow>(['username'], search))
      const { count, rows } = await operators.findAndCountAll({
        where: { [Op.and]: conditions },
        order: [...(order ? [order] : []), ['username', 'ASC']],
        limit,
        offset,
        ...scope(),
      })
      return { count, rows: rows.map((row) => row.get()) }
    },
  }
}
