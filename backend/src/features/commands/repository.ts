import { Op, type Model, type WhereOptions } from 'sequelize'
import { unixMsOf, type CommandQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import { withoutNulls } from '../../db/nulls.ts'
import { shown, type Rows } from '../../db/page-window.ts'
import type { CommandRecord, CommandRow } from '../../db/rows.ts'
import { openTable } from '../../db/table.ts'
import { textsIn } from '../../domain/free-text.ts'
import type { PersonSearch, Visit, Visitor } from '../../domain/person.ts'

export type CommandRepository = ReturnType<typeof createCommandRepository>

const open: WhereOptions<CommandRow> = { status: { [Op.in]: ['sent', 'delivered'] } }
const BATCH = 1_000

export function createCommandRepository(tables: Tables) {
  const { models, scope } = tables
  const commands = openTable(tables, 'commands')

  async function findAll(where: WhereOptions<CommandRow>): Promise<CommandRecord[]> {
    return (await commands.findAll(where, [['sentAtMs', 'ASC']])).map(toRecord)
  }

  /** Ids of the commands with a text of which `isWanted` says so. */
  async function idsWhere(isWanted: (command: CommandRow, text: string) => boolean): Promise<string[]> {
    const found: string[] = []
    const withTexts = { [Op.or]: [{ op: 'message' as const }, { error: { [Op.ne]: null } }] }
    for await (const command of commands.each(withTexts))
      if (isWanted(command, textsIn([JSON.parse(command.params), command.error]))) found.push(command.id)
    return found
  }

  return {
    async insert(records: CommandRecord[]): Promise<void> {
      await models.commands.bulkCreate(records.map(toRow), scope())
    },
    update: (record: CommandRecord) => commands.update(toRow(record)),
    async find(id: string): Promise<CommandRecord | undefined> {
      const row = await commands.find(id)
      return row && toRecord(row)
    },
    get: async (id: string): Promise<CommandRecord> => toRecord(await commands.get(id)),
    /** Open commands of a station that have not expired at `nowMs`. */
    findOpenOf: (stationId: string, nowMs: number) =>
      findAll({ [Op.and]: [open, { stationId, expiresAtMs: { [Op.gt]: nowMs } }] }),
    /** Open commands that expired at or before `untilMs`. */
    findOverdue: (untilMs: number) => findAll({ [Op.and]: [open, { expiresAtMs: { [Op.lte]: untilMs } }] }),
    findAllOpen: () => findAll(open),
    removeBefore: (cutoffMs: number): Promise<number> =>
      commands.removeAll({ expiresAtMs: { [Op.lt]: cutoffMs } }),
    /** Removes commands with a text that names the visitor, or that went to their station while they used it. */
    async removeTexts({ search, visits }: Visitor): Promise<void> {
      const ids = await idsWhere(
        ({ stationId, sentAtMs }, text) =>
          search.isNamedIn(text) ||
          visits.some((visit) => visit.stationId === stationId && isDuring(visit, sentAtMs)),
      )
      for (let at = 0; at < ids.length; at += BATCH)
        await commands.removeAll({ id: ids.slice(at, at + BATCH) })
    },
    countNaming: async ({ isNamedIn }: PersonSearch): Promise<number> =>
      (await idsWhere((_command, text) => isNamedIn(text))).length,
    async nextExpiryMs(): Promise<number | undefined> {
      const min = await models.commands.min<number | null, Model<CommandRow>>('expiresAtMs', {
        where: open,
        ...scope(),
      })
      return min ?? undefined
    },
    async list({ from, to, ...query }: CommandQuery): Promise<Rows<CommandRecord>> {
      const page = await commands.page(query, {
        orderable: ['sentAt', 'expiresAt', 'stationId', 'op', 'status'],
        searched: ['stationId', 'op', 'createdBy', 'params', 'error'],
        where: [
          ...(from === undefined ? [] : [{ sentAtMs: { [Op.gte]: unixMsOf(from) } }]),
          ...(to === undefined ? [] : [{ sentAtMs: { [Op.lte]: unixMsOf(to) } }]),
        ],
        order: [
          ['sentAtMs', 'DESC'],
          ['stationId', 'ASC'],
          ['id', 'ASC'],
        ],
      })
      return shown(page, toRecord)
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
