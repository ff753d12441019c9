import { Op, type WhereOptions } from 'sequelize'
import type { StaffCallQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { StaffCallRow } from '../../db/rows.ts'
import { equalTo } from '../../db/where.ts'
import type { PageWindow, Rows } from '../../db/page-window.ts'

export type StaffCallFilter = Omit<StaffCallQuery, 'page' | 'pageSize' | 'ordering'>
export type StaffCallRepository = ReturnType<typeof createStaffCallRepository>

export function createStaffCallRepository({ models: { staffCalls }, scope, containing }: Tables) {
  async function findAll(where: WhereOptions<StaffCallRow>): Promise<StaffCallRow[]> {
    const rows = await staffCalls.findAll({ where, order: [['calledAtMs', 'ASC']], ...scope() })
    return rows.map((row) => row.get())
  }

  return {
    async insert(row: StaffCallRow): Promise<void> {
      await staffCalls.create(row, scope())
    },
    async save({ id, ...columns }: StaffCallRow): Promise<void> {
      await staffCalls.update(columns, { where: { id }, ...scope() })
    },
    async remove(id: string): Promise<void> {
      await staffCalls.destroy({ where: { id }, ...scope() })
    },
    async find(id: string): Promise<StaffCallRow | undefined> {
      return (await staffCalls.findByPk(id, scope()))?.get()
    },
    async findAt(stationId: string): Promise<StaffCallRow | undefined> {
      return (await staffCalls.findOne({ where: { stationId }, ...scope() }))?.get()
    },
    all: () => findAll({}),
    findOfSession: (sessionId: string) => findAll({ sessionId }),
    findRenewedBefore: (unixMs: number) => findAll({ renewedAtMs: { [Op.lt]: unixMs } }),
    /** The oldest calls come first by default. */
    async list(
      { search, state, ...equal }: StaffCallFilter,
      { limit, offset, order }: PageWindow,
    ): Promise<Rows<StaffCallRow>> {
      const conditions = [equalTo<StaffCallRow>(equal)]
      if (state) conditions.push({ takenAtMs: state === 'taken' ? { [Op.ne]: null } : null })
      if (search) conditions.push(containing<StaffCallRow>(['stationId', 'reason', 'takenBy'], search))
      const { count, rows } = await staffCalls.findAndCountAll({
        where: { [Op.and]: conditions },
        order: [order ?? ['calledAtMs', 'ASC'], ['id', 'ASC']],
        limit,
        offset,
        ...scope(),
      })
      return { count, rows: rows.map((row) => row.get()) }
    },
  }
}
