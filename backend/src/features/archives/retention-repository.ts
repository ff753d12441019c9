import { Op, type WhereOptions } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import { withoutNulls } from '../../db/nulls.ts'
import type { LogRow, SessionRow } from '../../db/rows.ts'

const BATCH = 1_000

export type RetentionRepository = ReturnType<typeof createRetentionRepository>

/** Reads in batches what is to be archived, and removes it afterwards. */
export function createRetentionRepository({ models, scope }: Tables) {
  const {
    sessions,
    sessionProfiles,
    logs,
    logCheckpoints,
    answeredRequests,
    stationEvents,
    throttles,
    commands,
  } = models

  async function* sessionsWhere(where: WhereOptions<SessionRow>): AsyncGenerator<object> {
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

  async function* logsWhere(where: WhereOptions<LogRow>): AsyncGenerator<object> {
    let after = 0
    for (;;) {
      const rows = await logs.findAll({
        where: { [Op.and]: [where, { id: { [Op.gt]: after } }] },
        order: [['id', 'ASC']],
        limit: BATCH,
        ...scope(),
      })
      for (const row of rows) {
        yield withoutNulls(row.get())
        after = row.get().id
      }
      if (rows.length < BATCH) return
    }
  }

  const span = (fromMs: number, toMs: number) => ({ [Op.gte]: fromMs, [Op.lt]: toMs })
  const endedBefore = (cutoffMs: number) => ({ state: 'ended' as const, endedAtMs: { [Op.lt]: cutoffMs } })

  return {
    sessionsEndedWithin: (fromMs: number, toMs: number) => sessionsWhere({ endedAtMs: span(fromMs, toMs) }),
    sessionsEndedBefore: (cutoffMs: number) => sessionsWhere(endedBefore(cutoffMs)),
    logsWithin: (fromMs: number, toMs: number) => logsWhere({ atMs: span(fromMs, toMs) }),
    logsUpTo: (id: number) => logsWhere({ id: { [Op.lte]: id } }),

    async countSessionsEndedBefore(cutoffMs: number): Promise<number> {
      return sessions.count({ where: endedBefore(cutoffMs), ...scope() })
    },
    async removeSessionsEndedBefore(cutoffMs: number): Promise<number> {
      return sessions.destroy({ where: endedBefore(cutoffMs), ...scope() })
    },
    /** The newest record that is older than `cutoffMs`. */
    async lastLogBefore(cutoffMs: number): Promise<LogRow | undefined> {
      return (
        await logs.findOne({ where: { atMs: { [Op.lt]: cutoffMs } }, order: [['id', 'DESC']], ...scope() })
      )?.get()
    },
    async seal(upToId: number, lastHash: string, sealedAtMs: number): Promise<void> {
      await logCheckpoints.create({ upToId, lastHash, sealedAtMs }, scope())
    },
    async removeLogsUpTo(id: number): Promise<number> {
      return logs.destroy({ where: { id: { [Op.lte]: id } }, ...scope() })
    },
    /** Messages are remembered so that none takes effect twice; no client repeats one after this long. */
    async removeMessagesBefore(cutoffMs: number): Promise<void> {
      await answeredRequests.destroy({ where: { atMs: { [Op.lt]: cutoffMs } }, ...scope() })
      await stationEvents.destroy({ where: { atMs: { [Op.lt]: cutoffMs } }, ...scope() })
      await commands.destroy({ where: { expiresAtMs: { [Op.lt]: cutoffMs } }, ...scope() })
    },
    /** Counters that have not changed since `cutoffMs` would start from zero anyway. */
    async removeThrottlesBefore(cutoffMs: number): Promise<void> {
      const isQuiet = { windowStartMs: { [Op.lt]: cutoffMs }, blockedUntilMs: { [Op.lt]: cutoffMs } }
      await throttles.destroy({ where: isQuiet, ...scope() })
    },
  }
}
