import { Op } from 'sequelize'
import { unixMsOf, type ReportQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { ReportRow } from '../../db/rows.ts'
import { openTable } from '../../db/table.ts'

export type ReportRepository = ReturnType<typeof createReportRepository>

export function createReportRepository(tables: Tables) {
  const reports = openTable(tables, 'reports')
  return {
    get: (id: string) => reports.get(id),
    /** Stores the report of a day, and replaces an earlier one of the same day. */
    async save(row: ReportRow): Promise<void> {
      await reports.removeAll({ kind: row.kind, fromMs: row.fromMs })
      await reports.insert(row)
    },
    list: ({ from, to, ...query }: ReportQuery) =>
      reports.page(query, {
        orderable: ['from', 'to', 'createdAt', 'kind'],
        where: [
          ...(from === undefined ? [] : [{ fromMs: { [Op.gte]: unixMsOf(from) } }]),
          ...(to === undefined ? [] : [{ toMs: { [Op.lte]: unixMsOf(to) } }]),
        ],
        order: [
          ['fromMs', 'DESC'],
          ['kind', 'ASC'],
        ],
      }),
  }
}
