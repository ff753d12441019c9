import { Op, type WhereOptions } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import { withoutNulls } from '../../db/nulls.ts'
import type { LogRow } from '../../db/rows.ts'
import { openTable } from '../../db/table.ts'

export type OldRecords = ReturnType<typeof createOldRecordRepository>

/** Records that are old enough to be archived and purged. */
export function createOldRecordRepository(tables: Tables) {
  const { models, scope } = tables
  const logs = openTable(tables, 'logs')
  const checkpoints = openTable(tables, 'logCheckpoints')

  async function* each(where: WhereOptions<LogRow>): AsyncGenerator<object> {
    for await (const row of logs.each(where)) yield withoutNulls(row)
  }

  return {
    within: (fromMs: number, toMs: number) => each({ atMs: { [Op.gte]: fromMs, [Op.lt]: toMs } }),
    upTo: (id: number) => each({ id: { [Op.lte]: id } }),
    /** The newest record that is older than `cutoffMs`. */
    async lastBefore(cutoffMs: number): Promise<LogRow | undefined> {
      const where = { atMs: { [Op.lt]: cutoffMs } }
      return (await models.logs.findOne({ where, order: [['id', 'DESC']], ...scope() }))?.get()
    },
    /**
     * Purges the journal up to a record, whose hash is kept in a checkpoint: the chain goes on from there. Call inside a
     * write.
     * @returns how many records were removed
     */
    async purgeUpTo({ id, hash }: Pick<LogRow, 'id' | 'hash'>, nowMs: number): Promise<number> {
      await checkpoints.insert({ upToId: id, lastHash: hash, sealedAtMs: nowMs })
      return logs.removeAll({ id: { [Op.lte]: id } })
    },
  }
}
