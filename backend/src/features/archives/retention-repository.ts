import { Op, type WhereOptions } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import { withoutNulls } from '../../db/nulls.ts'
import type { SessionRow } from '../../db/rows.ts'

const BATCH = 1_000

export type RetentionRepository = ReturnType<typeof createRetentionRepository>

/** Reads in batches what is to be archived, and removes it afterwards. */
export function createRetentionRepository({ models, scope }: Tables) {
  const { sessions, sessionProfiles, answeredRequests, stationEvents, commands } = models

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

  const endedBefore = (cutoffMs: number) => ({ state: 'ended' as const, endedAtMs: { [Op.lt]: cutoffMs } })

  return {
    sessionsEndedWithin: (fromMs: number, toMs: number) =>
      sessionsWhere({ endedAtMs: { [Op.gte]: fromMs, [Op.lt]: toMs } }),
    sessionsEndedBefore: (cutoffMs: number) => sessionsWhere(endedBefore(cutoffMs)),

    async countSessionsEndedBefore(cutoffMs: number): Promise<number> {
      return sessions.count({ where: endedBefore(cutoffMs), ...scope() })
    },
    async removeSessionsEndedBefore(cutoffMs: number): Promise<number> {
      return sessions.destroy({ where: endedBefore(cutoffMs), ...scope() })
    },
    /** Messages are remembered so that none takes effect twice; no client repeats one after this long. */
    async removeMessagesBefore(cutoffMs: number): Promise<void> {
      await answeredRequests.destroy({ where: { atMs: { [Op.lt]: cutoffMs } }, ...scope() })
      await stationEvents.destroy({ where: { atMs: { [Op.lt]: cutoffMs } }, ...scope() })
      await commands.destroy({ where: { expiresAtMs: { [Op.lt]: cutoffMs } }, ...scope() })
    },
  }
}
