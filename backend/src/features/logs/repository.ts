import { Op, literal, type WhereOptions } from 'sequelize'
import type { LogAction, LogQuery, LogSearchInput } from '@escale/protocol'
import { unixMsOf } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import { readPage } from '../../db/read-page.ts'
import type { LogCheckpointRow, LogNoteRow, LogRow } from '../../db/rows.ts'
import { forMany, inserting, parametersOf } from '../../db/row-statements.ts'
import { fieldsOf } from '../../db/statements.ts'
import { equalTo } from '../../db/where.ts'
import { foldText, searchTextOf } from '../../domain/search-text.ts'
import type { PageWindow, Rows } from '../../db/page-window.ts'

/** A record, with the texts beside it where they still exist. */
export type NotedLogRow = LogRow & { note?: LogNoteRow }

export type LogFilter = Omit<LogQuery, 'page' | 'pageSize' | 'ordering' | 'skip' | 'search'> &
  Pick<LogSearchInput, 'text'>
const searched = ['action', 'actorLabel', 'stationId', 'sessionId', 'userId', 'ip', 'details'] as const
const isAscii = (text: string) => /^[\0-\x7f]*$/.test(text)

const BATCH = 500

export type LogRepository = ReturnType<typeof createLogRepository>

export function createLogRepository(database: Tables) {
  const { models, scope } = database
  const { logs, logCheckpoints, logTexts, logNotes } = models
  const insertRows = inserting(database, logs)
  const insertAfter = insertingAfter(database)
  const insertNotes = inserting(database, logNotes)
  const insertTexts = inserting(database, logTexts)
  /** Of all records by default. */
  const countBy = async (
    column: 'action' | 'level',
    where: WhereOptions<LogRow> = {},
  ): Promise<Record<string, number>> => {
    const groups = await logs.count({ where, group: [column], ...scope() })
    return Object.fromEntries(groups.map((group) => [String(group[column]), group.count]))
  }
  /** Records with the texts that still exist beside them. */
  async function noted(rows: { get(): LogRow }[]): Promise<NotedLogRow[]> {
    const ids = rows.map((row) => row.get().id)
    const notes = ids.length === 0 ? [] : await logNotes.findAll({ where: { logId: ids }, ...scope() })
    const byId = new Map(notes.map((note) => [note.get().logId, note.get()]))
    return rows.map((row) => {
      const note = byId.get(row.get().id)
      return { ...row.get(), ...(note && { note }) }
    })
  }
  /** Texts of people, and the search text if it is not plain ASCII. */
  async function insertBeside(rows: readonly NotedLogRow[]): Promise<void> {
    await insertNotes(...rows.flatMap(({ note }) => note ?? []))
    const texts = rows.flatMap(({ id: logId, details, actorLabel }) => {
      const said = [details, actorLabel]
      return isAscii(said.join('')) ? [] : [{ logId, searchText: searchTextOf(said) }]
    })
    await insertTexts(...texts)
  }
  return {
    /** The record that the next one is linked to: the newest one, or the checkpoint if all were purged. */
    async last(): Promise<Pick<LogRow, 'id' | 'hash' | 'atMs'> | undefined> {
      const row = await logs.findOne({
        attributes: ['id', 'hash', 'atMs'],
        order: [['id', 'DESC']],
        ...scope(),
      })
      if (row) return row.get()
      const seal = (await logCheckpoints.findOne({ order: [['upToId', 'DESC']], ...scope() }))?.get()
      return seal && { id: seal.upToId, hash: seal.lastHash, atMs: seal.sealedAtMs }
    },
    async checkpoints(): Promise<LogCheckpointRow[]> {
      return (await logCheckpoints.findAll(scope())).map((row) => row.get())
    },
    async after(id: number, limit: number): Promise<NotedLogRow[]> {
      const where = { id: { [Op.gt]: id } }
      return noted(await logs.findAll({ where, order: [['id', 'ASC']], limit, ...scope() }))
    },
    /** All records on a user, a batch at a time. */
    async *ofUser(userId: string): AsyncGenerator<NotedLogRow[]> {
      for (let after = 0; ;) {
        const where = { userId, id: { [Op.gt]: after } }
        const rows = await noted(
          await logs.findAll({ where, order: [['id', 'ASC']], limit: BATCH, ...scope() }),
        )
        yield rows
        if (rows.length < BATCH) return
        after = rows.at(-1)?.id ?? after
      }
    },
    async withActionAfter(id: number, actions: readonly LogAction[]): Promise<LogRow[]> {
      const where = { id: { [Op.gt]: id }, action: { [Op.in]: [...actions] } }
      return (await logs.findAll({ where, order: [['id', 'ASC']], ...scope() })).map((row) => row.get())
    },
    /** @returns false, and inserts nothing, if the newest record is not the one they are linked to */
    async insertAfter(rows: readonly NotedLogRow[]): Promise<boolean> {
      if ((await insertAfter(rows)) === 0) return false
      await insertBeside(rows)
      return true
    },
    async insert(rows: readonly NotedLogRow[]): Promise<void> {
      await insertRows(...rows)
      await insertBeside(rows)
    },
    async find(id: number): Promise<NotedLogRow | undefined> {
      const row = await logs.findByPk(id, scope())
      return row ? (await noted([row]))[0] : undefined
    },
    async list(filter: LogFilter, { limit, offset, order }: PageWindow): Promise<Rows<NotedLogRow>> {
      const { count, rows } = await readPage(logs, {
        where: whereOf(filter, database),
        order: [...(order ? [order] : []), ['id', 'DESC']],
        limit,
        offset,
        ...scope(),
      })
      return { count, rows: await noted(rows) }
    },
    countByAction: () => countBy('action'),
    countByLevel: () => countBy('level'),
    countWithin: (column: 'action' | 'level', fromMs: number, toMs: number) =>
      countBy(column, { atMs: { [Op.gte]: fromMs, [Op.lt]: toMs } }),
    async countSince(sinceMs: number): Promise<number> {
      return logs.count({ where: { atMs: { [Op.gte]: sinceMs } }, ...scope() })
    },
  }
}

/** Inserts records if the one that the first is linked to is still the newest. */
function insertingAfter(database: Tables): (rows: readonly LogRow[]) => Promise<number> {
  const fields = fieldsOf(database.models.logs)
  const columns = fields.map(({ field }) => field).join(', ')
  const parameter = (column: keyof LogRow) => `$${fields.findIndex(({ name }) => name === column) + 1}`
  const id = `CAST(${parameter('id')} AS BIGINT)`
  // Without a type, PostgreSQL treats these as text.
  const casts = fields.map(({ name }) => (name === 'id' || name === 'atMs' ? 'BIGINT' : ''))
  const insert = forMany<LogRow, LogRow>(
    database,
    (count) => `INSERT INTO logs (${columns})
      SELECT * FROM (VALUES ${parametersOf(count, fields.length, casts)}) AS records
      WHERE EXISTS (SELECT 1 FROM logs WHERE id = ${id} - 1 AND hash = ${parameter('prevHash')})
        AND NOT EXISTS (SELECT 1 FROM logs WHERE id >= ${id})`,
    (rows) => rows.flatMap((row) => fields.map(({ name }) => row[name as keyof LogRow])),
  )
  return insert.run
}

function whereOf(filter: LogFilter, database: Tables): WhereOptions<LogRow> {
  const { text, actor, from, to, upToId, ...equal } = filter
  const conditions = [equalTo<LogRow>(equal)]
  if (actor !== undefined) conditions.push({ [Op.or]: [{ actorId: actor }, { actorLabel: actor }] })
  if (upToId !== undefined) conditions.push({ id: { [Op.lte]: upToId } })
  if (from !== undefined) conditions.push({ atMs: { [Op.gte]: unixMsOf(from) } })
  if (to !== undefined) conditions.push({ atMs: { [Op.lte]: unixMsOf(to) } })
  if (text) conditions.push(logsSaying(database, searched, text))
  return { [Op.and]: conditions }
}

/** Records that contain `text` in one of the columns or in their notes, whatever the accents and the case. */
export function logsSaying(
  tables: Tables,
  columns: readonly (keyof LogRow)[],
  text: string,
): WhereOptions<LogRow> {
  const found = searchTextHolds(tables, foldText(text))
  const beside = ['SELECT log_id FROM log_texts', 'SELECT log_id FROM log_notes'].map((logIds) => ({
    id: { [Op.in]: literal(`(${logIds} WHERE ${found})`) },
  }))
  return { [Op.or]: [tables.containing<LogRow>(columns, text), ...beside] }
}

/** The condition in SQL that a search text contains `folded`. */
export const searchTextHolds = ({ sequelize }: Tables, folded: string): string =>
  `${sequelize.getDialect() === 'sqlite' ? 'instr' : 'strpos'}(search_text, ${sequelize.escape(folded)}) > 0`
