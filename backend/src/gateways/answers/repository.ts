import { Op } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import type { AnsweredRequestRow } from '../../db/rows.ts'

const BATCH = 500

export function createRequestRepository({ models: { answeredRequests }, scope }: Tables) {
  return {
    async find(party: string, requestId: string): Promise<AnsweredRequestRow | undefined> {
      return (await answeredRequests.findOne({ where: { party, requestId }, ...scope() }))?.get()
    },
    /** All stored answers, in batches. */
    async *all(): AsyncGenerator<AnsweredRequestRow[]> {
      for (let after = { party: '', requestId: '' }; ;) {
        const { party, requestId } = after
        const rows = await answeredRequests.findAll({
          where: {
            [Op.or]: [{ party: { [Op.gt]: party } }, { party, requestId: { [Op.gt]: requestId } }],
          },
          order: ['party', 'requestId'],
          limit: BATCH,
          ...scope(),
        })
        yield rows.map((row) => row.get())
        const last = rows.at(-1)?.get()
        if (!last || rows.length < BATCH) return
        after = last
      }
    },
    async remove(rows: AnsweredRequestRow[]): Promise<void> {
      const where = { [Op.or]: rows.map(({ party, requestId }) => ({ party, requestId })) }
      await answeredRequests.destroy({ where, ...scope() })
    },
    /** Answers are stored so that no request takes effect twice. */
    removeBefore: (cutoffMs: number): Promise<number> =>
      answeredRequests.destroy({ where: { atMs: { [Op.lt]: cutoffMs } }, ...scope() }),
    async save(row: AnsweredRequestRow): Promise<void> {
      await answeredRequests.create(row, scope())
    },
  }
}
