import { Op, type WhereOptions } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import { withoutNulls } from '../../db/nulls.ts'
import type { LogRow } from '../../db/rows.ts'

const BATCH = 1_000

export type OldRecords = ReturnType<typeof createOldRecordRepository>

/** Records that are old enough to be archived and purged. */
export function createOldRecordRepository({ models: { logs, logCheckpoints }, scope }: Tables) {
  async function* inBatches(where: WhereOptions<LogRow>): AsyncGenerator<object> {
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

  return {
    within: (fromMs: number, toMs: number) => inBatches({ atMs: { [Op.gte]: fromMs, [Op.lt]: toMs } }),
    upTo: (id: number) => inBatches({ id: { [Op.lte]: id } }),
    /** The newest record that is older than `cutoffMs`. */
    async lastBefore(cutoffMs: number): Promise<LogRow | undefined> {
      const where = { atMs: { [Op.lt]: cutoffMs } }
      return (await logs.findOne({ where, order: [['id', 'DESC']], ...scope() }))?.get()
    },
    /**
     * Purges the journal up to a record, whose hash is kept in a checkpoint: the chain goes on from there. Call inside a
     * write.
     * @returns how many records were removed
     */
    async purgeUpTo({ id, hash }: Pick<LogRow, 'id' | 'hash'>, nowMs: number): Promise<number> {
      await logCheckpoints.create({ upToId: id, lastHash: hash, sealedAtMs: nowMs }, scope())
      return logs.destroy({ where: { id: { [Op.lte]: id } }, ...scope() })
    },
  }
}
