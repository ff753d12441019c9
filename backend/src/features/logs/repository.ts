import { Op, type WhereOptions } from 'sequelize'
import type { LogQuery, LogSearchInput } from '@escale/protocol'
import { unixMsOf } from '@escale/protocol'
import type { Database } from '../../db/database.ts'
import type { LogCheckpointRow, LogRow } from '../../db/rows.ts'
import { equalTo, type Containing } from '../../db/where.ts'
import type { PageWindow, Rows } from '../../http/page.ts'

export type LogFilter = Omit<LogQuery, 'page' | 'pageSize' | 'ordering' | 'search'> &
  Pick<LogSearchInput, 'text'>
const searched = ['action', 'actorLabel', 'stationId', 'sessionId', 'userId', 'ip', 'details'] as const

export type LogRepository = ReturnType<typeof createLogRepository>

export function createLogRepository({ models: { logs, logCheckpoints }, scope, containing }: Database) {
  const countBy = async (column: 'action' | 'level'): Promise<Record<string, number>> => {
    const groups = await logs.count({ group: [column], ...scope() })
    return Object.fromEntries(groups.map((group) => [String(group[column]), group.count]))
  }
  return {
    /** What the next record is linked to: the newest one, or the seal below which all was purged. */
    async last(): Promise<Pick<LogRow, 'id' | 'hash'> | undefined> {
      const row = await logs.findOne({ attributes: ['id', 'hash'], order: [['id', 'DESC']], ...scope() })
      if (row) return row.get()
      const seal = (await logCheckpoints.findOne({ order: [['upToId', 'DESC']], ...scope() }))?.get()
      return seal && { id: seal.upToId, hash: seal.lastHash }
    },
    async checkpoints(): Promise<LogCheckpointRow[]> {
      return (await logCheckpoints.findAll(scope())).map((row) => row.get())
    },
    async after(id: number, limit: number): Promise<LogRow[]> {
      const where = { id: { [Op.gt]: id } }
      const rows = await logs.findAll({ where, order: [['id', 'ASC']], limit, ...scope() })
      return rows.map((row) => row.get())
    },
    async insert(row: LogRow): Promise<void> {
      await logs.create(row, scope())
    },
    async find(id: number): Promise<LogRow | undefined> {
      return (await logs.findByPk(id, scope()))?.get()
    },
    async list(filter: LogFilter, { limit, offset, order }: PageWindow): Promise<Rows<LogRow>> {
      const { count, rows } = await logs.findAndCountAll({
        where: whereOf(filter, containing),
        order: [order ?? ['id', 'DESC']],
        limit,
        offset,
        ...scope(),
      })
      return { count, rows: rows.map((row) => row.get()) }
    },
    countByAction: () => countBy('action'),
    countByLevel: () => countBy('level'),
    async countSince(sinceMs: number): Promise<number> {
      return logs.count({ where: { atMs: { [Op.gte]: sinceMs } }, ...scope() })
    },
  }
}

function whereOf(filter: LogFilter, containing: Containing): WhereOptions<LogRow> {
  const { text, actor, from, to, ...equal } = filter
  const conditions = [equalTo<LogRow>(equal)]
  if (actor !== undefined) conditions.push({ [Op.or]: [{ actorId: actor }, { actorLabel: actor }] })
  if (from !== undefined) conditions.push({ atMs: { [Op.gte]: unixMsOf(from) } })
  if (to !== undefined) conditions.push({ atMs: { [Op.lte]: unixMsOf(to) } })
  if (text) conditions.push(containing<LogRow>(searched, text))
  return { [Op.and]: conditions }
}
