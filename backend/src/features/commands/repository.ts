import { Op, type Model, type WhereOptions } from 'sequelize'
import { unixMsOf, type CommandQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import { readPage } from '../../db/read-page.ts'
import { withoutNulls } from '../../db/nulls.ts'
import type { CommandRecord, CommandRow } from '../../db/rows.ts'
import { equalTo, type Containing } from '../../db/where.ts'
import type { PageWindow, Rows } from '../../db/page-window.ts'

export type CommandFilter = Omit<CommandQuery, 'page' | 'pageSize' | 'ordering'>
export type CommandRepository = ReturnType<typeof createCommandRepository>

const open: WhereOptions<CommandRow> = { status: { [Op.in]: ['sent', 'delivered'] } }
const searched = ['stationId', 'op', 'createdBy', 'params', 'error'] as const

export function createCommandRepository({ models: { commands }, scope, containing }: Tables) {
  async function findAll(where: WhereOptions<CommandRow>): Promise<CommandRecord[]> {
    const rows = await commands.findAll({ where, order: [['sentAtMs', 'ASC']], ...scope() })
    return rows.map((row) => toRecord(row.get()))
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
