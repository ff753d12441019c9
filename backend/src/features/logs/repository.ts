import { Op, literal, type WhereOptions } from 'sequelize'
import type { LogAction, LogQuery, LogSearchInput } from '@escale/protocol'
import { unixMsOf } from '@escale/protocol'
import type { Database } from '../../db/database.ts'
import type { LogCheckpointRow, LogRow } from '../../db/rows.ts'
import { equalTo } from '../../db/where.ts'
import { foldText, searchTextOf } from '../../domain/search-text.ts'
import type { PageWindow, Rows } from '../../http/page.ts'

export type LogFilter = Omit<LogQuery, 'page' | 'pageSize' | 'ordering' | 'search'> &
  Pick<LogSearchInput, 'text'>
const searched = ['action', 'actorLabel', 'stationId', 'sessionId', 'userId', 'ip', 'details'] as const
const isAscii = (text: string) => /^[\0-\x7f]*$/.test(text)

export type LogRepository = ReturnType<typeof createLogRepository>

export function createLogRepository(database: Database) {
  const { models, scope } = database
  const { logs, logCheckpoints, logTexts } = models
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
    async withActionAfter(id: number, actions: readonly LogAction[]): Promise<LogRow[]> {
      const where = { id: { [Op.gt]: id }, action: { [Op.in]: [...actions] } }
      return (await logs.findAll({ where, order: [['id', 'ASC']], ...scope() })).map((row) => row.get())
    },
    async insert(row: LogRow): Promise<void> {
      await logs.create(row, scope())
      const said = [row.details, row.actorLabel]
      if (!isAscii(said.join('')))
        await logTexts.create({ logId: row.id, searchText: searchTextOf(said) }, scope())
    },
    async find(id: number): Promise<LogRow | undefined> {
      return (await logs.findByPk(id, scope()))?.get()
    },
    async list(filter: LogFilter, { limit, offset, order }: PageWindow): Promise<Rows<LogRow>> {
      const { count, rows } = await logs.findAndCountAll({
        where: whereOf(filter, database),
        order: [...(order ? [order] : []), ['id', 'DESC']],
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

function whereOf(filter: LogFilter, database: Database): WhereOptions<LogRow> {
  const { text, actor, from, to, ...equal } = filter
  const conditions = [equalTo<LogRow>(equal)]
  if (actor !== undefined) conditions.push({ [Op.or]: [{ actorId: actor }, { actorLabel: actor }] })
  if (from !== undefined) conditions.push({ atMs: { [Op.gte]: unixMsOf(from) } })
  if (to !== undefined) conditions.push({ atMs: { [Op.lte]: unixMsOf(to) } })
  if (text) conditions.push(logsSaying(database, searched, text))
  return { [Op.and]: conditions }
}

/** Records that say `text` in one of the columns, accents and case aside. */
export function logsSaying(
  { sequelize, containing }: Database,
  columns: readonly (keyof LogRow)[],
  text: string,
): WhereOptions<LogRow> {
  const position = sequelize.getDialect() === 'sqlite' ? 'instr' : 'strpos'
  const folded = sequelize.escape(foldText(text))
  const ids = literal(`(SELECT log_id FROM log_texts WHERE ${position}(search_text, ${folded}) > 0)`)
  return { [Op.or]: [containing<LogRow>(columns, text), { id: { [Op.in]: ids } }] }
}
