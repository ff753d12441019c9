import { Op, QueryTypes } from 'sequelize'
import { unixMsOf, type ReportQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { ReportRow } from '../../db/rows.ts'
import { equalTo } from '../../db/where.ts'
import type { SessionFact } from '../../domain/statistics.ts'
import type { PageWindow, Rows } from '../../db/page-window.ts'

export type ReportFilter = Omit<ReportQuery, 'page' | 'pageSize' | 'ordering'>
type FactRow = SessionFact & { id: string; createdAtMs: number }

const BATCH = 2_000
/** In the order of an index, so that each batch starts where the one before ended. */
const SELECT_FACTS = `
  SELECT s.id, s.user_id AS "personKey", s.created_at_ms AS "createdAtMs", s.started_at_ms AS "startedAtMs",
    s.consumed_ms AS "usedMs", COALESCE(t.label, s.station_id) AS "stationLabel", t.location,
    p.age_band AS "ageBand", p.sex, p.municipality, p.occupation
  FROM sessions s
  LEFT JOIN session_profiles p ON p.session_id = s.id
  LEFT JOIN stations t ON t.id = s.station_id
  WHERE (s.created_at_ms, s.id) > (:afterMs, :afterId) AND s.created_at_ms < :toMs
  ORDER BY s.created_at_ms, s.id
  LIMIT :batch`

export type ReportRepository = ReturnType<typeof createReportRepository>

export function createReportRepository({ models, sequelize, scope }: Tables) {
  const { sessions, reports, logs } = models
  const within = (fromMs: number, toMs: number) => ({ [Op.gte]: fromMs, [Op.lt]: toMs })

  return {
    /** The sessions created in a span, in batches, with the fields that statistics may use. */
    async *facts(fromMs: number, toMs: number): AsyncGenerator<SessionFact[]> {
      let after = { afterMs: fromMs, afterId: '' }
      for (;;) {
        const rows = await sequelize.query<FactRow>(SELECT_FACTS, {
          replacements: { ...after, toMs, batch: BATCH },
          type: QueryTypes.SELECT,
          ...scope(),
        })
        yield rows
        const last = rows.at(-1)
        if (!last || rows.length < BATCH) return
        after = { afterMs: last.createdAtMs, afterId: last.id }
      }
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
    /** Stores the report of a day, and replaces an earlier one of the same day. */
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
