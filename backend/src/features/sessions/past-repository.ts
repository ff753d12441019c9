import { Op, QueryTypes, literal, type WhereOptions } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import { withoutNulls } from '../../db/nulls.ts'
import type { SessionRecord, SessionRow } from '../../db/rows.ts'
import { toSessionRecord } from '../../db/session-record.ts'
import type { SessionFact } from '../../domain/statistics.ts'

const BATCH = 1_000

type FactRow = SessionFact & { id: string; createdAtMs: number }

const FACTS_AT_ONCE = 2_000
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

export type PastSessions = ReturnType<typeof createPastSessionRepository>

/** What is kept of sessions for statistics and archives, and is removed of them later. */
export function createPastSessionRepository({ models, sequelize, scope }: Tables) {
  const { sessions, sessionProfiles } = models

  /** In batches, with what the statistics know of their visitors. */
  async function* inBatches(where: WhereOptions<SessionRow>): AsyncGenerator<object> {
    let after = ''
    for (;;) {
      const rows = await sessions.findAll({
        where: { [Op.and]: [where, { id: { [Op.gt]: after } }] },
        order: [['id', 'ASC']],
        limit: BATCH,
        ...scope(),
      })
      for (const row of rows) {
        const session = row.get()
        const profile = (await sessionProfiles.findByPk(session.id, scope()))?.get() ?? {}
        const { codeHash: _hash, ...kept } = session
        yield withoutNulls({ ...kept, ...profile })
        after = session.id
      }
      if (rows.length < BATCH) return
    }
  }

  const endedBefore = (cutoffMs: number) => ({ state: 'ended' as const, endedAtMs: { [Op.lt]: cutoffMs } })
  const within = (fromMs: number, toMs: number) => ({ endedAtMs: { [Op.gte]: fromMs, [Op.lt]: toMs } })

  return {
    endedWithin: (fromMs: number, toMs: number) => inBatches(within(fromMs, toMs)),
    endedBefore: (cutoffMs: number) => inBatches(endedBefore(cutoffMs)),
    countEndedBefore: (cutoffMs: number): Promise<number> =>
      sessions.count({ where: endedBefore(cutoffMs), ...scope() }),
    removeEndedBefore: (cutoffMs: number): Promise<number> =>
      sessions.destroy({ where: endedBefore(cutoffMs), ...scope() }),

    /** The sessions created in a span, in batches, with the fields that statistics may use. */
    async *facts(fromMs: number, toMs: number): AsyncGenerator<SessionFact[]> {
      let after = { afterMs: fromMs, afterId: '' }
      for (;;) {
        const rows = await sequelize.query<FactRow>(SELECT_FACTS, {
          replacements: { ...after, toMs, batch: FACTS_AT_ONCE },
          type: QueryTypes.SELECT,
          ...scope(),
        })
        yield rows
        const last = rows.at(-1)
        if (!last || rows.length < FACTS_AT_ONCE) return
        after = { afterMs: last.createdAtMs, afterId: last.id }
      }
    },
    async countEndReasons(fromMs: number, toMs: number): Promise<Record<string, number>> {
      const groups = await sessions.count({ where: within(fromMs, toMs), group: ['endReason'], ...scope() })
      return Object.fromEntries(groups.map(({ endReason, count }) => [String(endReason), count]))
    },

    async ofUser(userId: string): Promise<SessionRecord[]> {
      const rows = await sessions.findAll({ where: { userId }, order: [['createdAtMs', 'ASC']], ...scope() })
      return rows.map((row) => toSessionRecord(row.get()))
    },
    /** Removes a municipality or an occupation that few other persons have from the profiles of a person's sessions. */
    async blurProfiles(userId: string, smallestGroup: number): Promise<void> {
      const theirs = literal(`(SELECT id FROM sessions WHERE user_id = ${sequelize.escape(userId)})`)
      const rows = await sessionProfiles.findAll({ where: { sessionId: { [Op.in]: theirs } }, ...scope() })
      for (const column of ['municipality', 'occupation'] as const) {
        for (const value of new Set(rows.map((row) => row.get()[column]))) {
          if (value === null) continue
          const [others] = await sequelize.query<{ persons: number }>(
            `SELECT COUNT(DISTINCT COALESCE(s.user_id, s.id)) AS persons
              FROM session_profiles p JOIN sessions s ON s.id = p.session_id
              WHERE p.${column} = :value AND (s.user_id IS NULL OR s.user_id <> :userId)`,
            { replacements: { value, userId }, type: QueryTypes.SELECT, ...scope() },
          )
          if ((others?.persons ?? 0) >= smallestGroup) continue
          const where = { sessionId: { [Op.in]: theirs }, [column]: value }
          await sessionProfiles.update({ [column]: null }, { where, ...scope() })
        }
      }
    },
  }
}
