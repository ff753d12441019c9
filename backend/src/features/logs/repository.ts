import { Op, literal, type WhereOptions } from 'sequelize'
import type { LogAction, LogQuery, LogSearchInput } from '@escale/protocol'
import { unixMsOf } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import { readPage } from '../../db/read-page.ts'
import type { LogCheckpointRow, LogNoteRow, LogRow } from '../../db/rows.ts'
import { inserting } from '../../db/row-statements.ts'
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

/** Inserts a record after the one that it is linked to, where that one is still the newest. */
const INSERT_AFTER = `INSERT INTO logs (id, at_ms, action, level, actor_type, actor_id, actor_label, station_id, session_id,
    user_id, ip, details, prev_hash, hash)
  SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
  WHERE EXISTS (SELECT 1 FROM logs WHERE id = CAST($1 AS BIGINT) - 1 AND hash = $13)
    AND NOT EXISTS (SELECT 1 FROM logs WHERE id >= CAST($1 AS BIGINT))`

export function createLogRepository(database: Tables) {
  const { models, scope } = database
  const { logs, logCheckpoints, logTexts, logNotes } = models
  const insertAfter = database.statement(INSERT_AFTER)
  const insertNote = inserting(database, logNotes)
  const insertText = inserting(database, logTexts)
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
  /** Texts of people, and what a search looks in where it is not plain ASCII. */
  async function insertBeside({ id: logId, details, actorLabel }: LogRow, note?: LogNoteRow): Promise<void> {
    if (note) await insertNote(note)
    const said = [details, actorLabel]
    if (!isAscii(said.join(''))) await insertText({ logId, searchText: searchTextOf(said) })
  }
  return {
    /** What the next record is linked to: the newest record, or the checkpoint where all were purged. */
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
    /** @returns false, and nothing is inserted, where the newest record is another than the one it is linked to */
    async insertAfter({ note, ...row }: NotedLogRow): Promise<boolean> {
      const { id, atMs, action, level, actorType, actorId, actorLabel } = row
      const { stationId, sessionId, userId, ip, details, prevHash, hash } = row
      const actor = [actorType, actorId, actorLabel]
      const about = [stationId, sessionId, userId, ip, details]
      const values = [id, atMs, action, level, ...actor, ...about, prevHash, hash]
      if ((await insertAfter.run(...values)) === 0) return false
      await insertBeside(row, note)
      return true
    },
    async insert({ note, ...row }: NotedLogRow): Promise<void> {
      await logs.create(row, scope())
      await insertBeside(row, note)
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
