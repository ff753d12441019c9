import { Op, QueryTypes, literal, type WhereOptions } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import { withoutNulls } from '../../db/nulls.ts'
import type { SessionRecord, SessionRow } from '../../db/rows.ts'
import { openTable } from '../../db/table.ts'
import { toSessionRecord } from '../../db/session-record.ts'
import type { SessionFact } from '../../domain/statistics.ts'

type FactRow = SessionFact & { id: string; createdAtMs: number }

const FACTS_AT_ONCE = 2_000
/** In the order of an index, so that each batch continues after the last one. */
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

/** Past sessions for statistics and archives, and their removal. */
export function createPastSessionRepository(tables: Tables) {
  const { models, sequelize, scope } = tables
  const { sessions, sessionProfiles } = models
  const past = openTable(tables, 'sessions')
  const profiles = openTable(tables, 'sessionProfiles')

  /** With what the statistics know of their visitors. */
  async function* each(where: WhereOptions<SessionRow>): AsyncGenerator<object> {
    for await (const { codeHash: _hash, ...session } of past.each(where))
      yield withoutNulls({ ...session, ...(await profiles.find(session.id)) })
  }

  const endedBefore = (cutoffMs: number) => ({ state: 'ended' as const, endedAtMs: { [Op.lt]: cutoffMs } })
  const within = (fromMs: number, toMs: number) => ({ endedAtMs: { [Op.gte]: fromMs, [Op.lt]: toMs } })

  return {
    endedWithin: (fromMs: number, toMs: number) => each(within(fromMs, toMs)),
    endedBefore: (cutoffMs: number) => each(endedBefore(cutoffMs)),
    countEndedBefore: (cutoffMs: number) => past.count(endedBefore(cutoffMs)),
    removeEndedBefore: (cutoffMs: number) => past.removeAll(endedBefore(cutoffMs)),

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
      return (await past.findAll({ userId }, [['createdAtMs', 'ASC']])).map(toSessionRecord)
    },
    /** Removes a municipality or an occupation that few other persons have from the profiles of a person's sessions. */
    async blurProfiles(userId: string, smallestGroup: number): Promise<void> {
      const theirs = literal(`(SELECT id FROM sessions WHERE user_id = ${sequelize.escape(userId)})`)
      const found = await profiles.findAll({ sessionId: { [Op.in]: theirs } })
      for (const column of ['municipality', 'occupation'] as const) {
        for (const value of new Set(found.map((profile) => profile[column]))) {
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
