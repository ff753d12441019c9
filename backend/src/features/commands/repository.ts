import { Op, type Model, type WhereOptions } from 'sequelize'
import { unixMsOf, type CommandQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import { readPage } from '../../db/read-page.ts'
import { withoutNulls } from '../../db/nulls.ts'
import type { CommandRecord, CommandRow } from '../../db/rows.ts'
import { textsIn } from '../../domain/free-text.ts'
import type { PersonSearch, Visit, Visitor } from '../../domain/person.ts'
import { equalTo, type Containing } from '../../db/where.ts'
import type { PageWindow, Rows } from '../../db/page-window.ts'

export type CommandFilter = Omit<CommandQuery, 'page' | 'pageSize' | 'ordering'>
export type CommandRepository = ReturnType<typeof createCommandRepository>

const open: WhereOptions<CommandRow> = { status: { [Op.in]: ['sent', 'delivered'] } }
const BATCH = 1_000
const searched = ['stationId', 'op', 'createdBy', 'params', 'error'] as const

export function createCommandRepository({ models: { commands }, scope, containing }: Tables) {
  async function findAll(where: WhereOptions<CommandRow>): Promise<CommandRecord[]> {
    const rows = await commands.findAll({ where, order: [['sentAtMs', 'ASC']], ...scope() })
    return rows.map((row) => toRecord(row.get()))
  }

  /** Ids of the commands with a text of which `isWanted` says so. */
  async function idsWhere(isWanted: (command: CommandRow, text: string) => boolean): Promise<string[]> {
    const found: string[] = []
    for (let after = ''; ;) {
      const rows = await commands.findAll({
        where: { id: { [Op.gt]: after }, [Op.or]: [{ op: 'message' }, { error: { [Op.ne]: null } }] },
        order: [['id', 'ASC']],
        limit: BATCH,
        ...scope(),
      })
      for (const row of rows) {
        const command = row.get()
        if (isWanted(command, textsIn([JSON.parse(command.params), command.error]))) found.push(command.id)
        after = command.id
      }
      if (rows.length < BATCH) return found
    }
  }

  return {
    async insert(records: CommandRecord[]): Promise<void> {
      await commands.bulkCreate(records.map(toRow), scope())
    },
    async save(record: CommandRecord): Promise<void> {
      const { id, ...columns } = toRow(record)
      await commands.update(columns, { where: { id }, ...scope() })
    },
    async find(id: string): Promise<CommandRecord | undefined> {
      const row = await commands.findByPk(id, scope())
      return row ? toRecord(row.get()) : undefined
    },
    /** Open commands of a station that have not expired at `nowMs`. */
    findOpenOf: (stationId: string, nowMs: number) =>
      findAll({ [Op.and]: [open, { stationId, expiresAtMs: { [Op.gt]: nowMs } }] }),
    /** Open commands that expired at or before `untilMs`. */
    findOverdue: (untilMs: number) => findAll({ [Op.and]: [open, { expiresAtMs: { [Op.lte]: untilMs } }] }),
    findAllOpen: () => findAll(open),
    removeBefore: (cutoffMs: number): Promise<number> =>
      commands.destroy({ where: { expiresAtMs: { [Op.lt]: cutoffMs } }, ...scope() }),
    /** Removes commands with a text that names the visitor, or that went to their station while they used it. */
    async removeTexts({ search, visits }: Visitor): Promise<void> {
      const ids = await idsWhere(
        ({ stationId, sentAtMs }, text) =>
          search.isNamedIn(text) ||
          visits.some((visit) => visit.stationId === stationId && isDuring(visit, sentAtMs)),
      )
      for (let at = 0; at < ids.length; at += BATCH)
        await commands.destroy({ where: { id: ids.slice(at, at + BATCH) }, ...scope() })
    },
    countNaming: async ({ isNamedIn }: PersonSearch): Promise<number> =>
      (await idsWhere((_command, text) => isNamedIn(text))).length,
    async nextExpiryMs(): Promise<number | undefined> {
      const min = await commands.min<number | null, Model<CommandRow>>('expiresAtMs', {
        where: open,
        ...scope(),
      })
      return min ?? undefined
    },
    async list(filter: CommandFilter, { limit, offset, order }: PageWindow): Promise<Rows<CommandRecord>> {
      const { count, rows } = await readPage(commands, {
        where: whereOf(filter, containing),
        order: [order ?? ['sentAtMs', 'DESC'], ['stationId', 'ASC'], ['id', 'ASC']],
        limit,
        offset,
        ...scope(),
      })
      return { count, rows: rows.map((row) => toRecord(row.get())) }
    },
  }
}

const isDuring = ({ fromMs, toMs }: Visit, atMs: number) => atMs >= fromMs && atMs <= toMs

function toRecord(row: CommandRow): CommandRecord {
  return { ...withoutNulls(row), params: JSON.parse(row.params) as Record<string, unknown> }
}

function toRow(record: CommandRecord): CommandRow {
  return {
    ...record,
    params: JSON.stringify(record.params),
    bootId: record.bootId ?? null,
    deliveredAtMs: record.deliveredAtMs ?? null,
    appliedAtMs: record.appliedAtMs ?? null,
    failedAtMs: record.failedAtMs ?? null,
    expiredAtMs: record.expiredAtMs ?? null,
    error: record.error ?? null,
  }
}

function whereOf(
  { search, from, to, ...equal }: CommandFilter,
  containing: Containing,
): WhereOptions<CommandRow> {
  const conditions = [equalTo<CommandRow>(equal)]
  if (from !== undefined) conditions.push({ sentAtMs: { [Op.gte]: unixMsOf(from) } })
  if (to !== undefined) conditions.push({ sentAtMs: { [Op.lte]: unixMsOf(to) } })
  if (search) conditions.push(containing<CommandRow>(searched, search))
  return { [Op.and]: conditions }
}
