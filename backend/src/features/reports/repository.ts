import { Op, QueryTypes } from 'sequelize'
import { unixMsOf, type ReportQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { ReportRow } from '../../db/rows.ts'
import { openTable } from '../../db/table.ts'
import type { SessionFact } from '../../domain/statistics.ts'

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

export function createReportRepository(tables: Tables) {
  const { models, sequelize, scope } = tables
  const { sessions, logs } = models
  const reports = openTable(tables, 'reports')
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
