import { Op } from 'sequelize'
import { unixMsOf, type ReportQuery } from '@escale/protocol'
import type { Database } from '../../db/database.ts'
import { withoutNulls } from '../../db/nulls.ts'
import type { ReportRow } from '../../db/rows.ts'
import { equalTo } from '../../db/where.ts'
import type { SessionFact } from '../../domain/statistics.ts'
import type { PageWindow, Rows } from '../../http/page.ts'

export type ReportFilter = Omit<ReportQuery, 'page' | 'pageSize' | 'ordering'>
export type ReportRepository = ReturnType<typeof createReportRepository>

export function createReportRepository({ models, scope }: Database) {
  const { sessions, sessionProfiles, stations, reports, logs } = models
  const within = (fromMs: number, toMs: number) => ({ [Op.gte]: fromMs, [Op.lt]: toMs })

  return {
    /** Every session created in a span, with what the statistics may know of it. */
    async facts(fromMs: number, toMs: number): Promise<SessionFact[]> {
      const rows = await sessions.findAll({ where: { createdAtMs: within(fromMs, toMs) }, ...scope() })
      const profileRows = await sessionProfiles.findAll(scope())
      const profiles = new Map(profileRows.map((row) => [row.get().sessionId, row.get()]))
      const stationRows = await stations.findAll(scope())
      const places = new Map(stationRows.map((row) => [row.get().id, row.get()]))
      return rows.map((row) => {
        const { id, userId, stationId, createdAtMs, startedAtMs, consumedMs } = withoutNulls(row.get())
        const place = stationId === undefined ? undefined : places.get(stationId)
        const { ageBand, sex, municipality, occupation } = withoutNulls(
          profiles.get(id) ?? {},
        ) as Partial<SessionFact>
        return {
          personKey: userId ?? id,
          createdAtMs,
          startedAtMs,
          usedMs: consumedMs,
          stationLabel: place?.label ?? stationId,
          location: place?.location ?? undefined,
          ageBand,
          sex,
          municipality,
          occupation,
        }
      })
    },
    async countEndReasons(fromMs: number, toMs: number): Promise<Record<string, number>> {
      const groups = await sessions.count({
        where: { endedAtMs: within(fromMs, toMs) },
        group: ['endReason'],
        ...scope(),
      })
      return Object.fromEntries(groups.map(({ endReason, count }) => [String(endReason), count]))
    },
    async countLogs(
      column: 'action' | 'level',
      fromMs: number,
      toMs: number,
    ): Promise<Record<string, number>> {
      const groups = await logs.count({ where: { atMs: within(fromMs, toMs) }, group: [column], ...scope() })
      return Object.fromEntries(groups.map((group) => [String(group[column]), group.count]))
    },
    /** Keeps a day's report; the same day told again replaces what was told. */
    async save(row: ReportRow): Promise<void> {
      await reports.destroy({ where: { kind: row.kind, fromMs: row.fromMs }, ...scope() })
      await reports.create(row, scope())
    },
    async find(id: string): Promise<ReportRow | undefined> {
      return (await reports.findByPk(id, scope()))?.get()
    },
    async list(
      { from, to, ...equal }: ReportFilter,
      { limit, offset, order }: PageWindow,
    ): Promise<Rows<ReportRow>> {
      const conditions = [equalTo<ReportRow>(equal)]
      if (from !== undefined) conditions.push({ fromMs: { [Op.gte]: unixMsOf(from) } })
      if (to !== undefined) conditions.push({ toMs: { [Op.lte]: unixMsOf(to) } })
      const { count, rows } = await reports.findAndCountAll({
        where: { [Op.and]: conditions },
        order: [...(order ? [order] : []), ['fromMs', 'DESC'], ['kind', 'ASC']],
        limit,
        offset,
        ...scope(),
      })
      return { count, rows: rows.map((row) => row.get()) }
    },
  }
}
