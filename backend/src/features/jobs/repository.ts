import { Op, col, fn } from 'sequelize'
import type { JobName } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import { getMark, putMark } from '../../db/marks.ts'
import type { JobRunRow } from '../../db/rows.ts'
import { openTable } from '../../db/table.ts'

export type JobRunRepository = ReturnType<typeof createJobRunRepository>

export function createJobRunRepository(tables: Tables) {
  const { models, scope } = tables
  const { count, findAll, findOne, insert, removeAll } = openTable(tables, 'jobRuns')
  return {
    /** The first start of the site with a calendar, Unix milliseconds. */
    async beginningMs(): Promise<number | undefined> {
      const mark = await getMark(tables, 'calendar')
      return mark === undefined ? undefined : Number(mark)
    },
    noteBeginning: (unixMs: number): Promise<void> => putMark(tables, 'calendar', String(unixMs)),
    /** Also removes runs older than `forgetBeforeMs`; @returns false if another server runs this slot */
    async claim(
      slot: Pick<JobRunRow, 'name' | 'slotMs' | 'startedAtMs'>,
      forgetBeforeMs: number,
    ): Promise<boolean> {
      const { name, slotMs } = slot
      await removeAll({ name, slotMs: { [Op.lt]: forgetBeforeMs } })
      if ((await count({ name, slotMs })) > 0) return false
      await insert({ ...slot, endedAtMs: null, outcome: null, result: null })
      return true
    },
    async end(
      name: JobName,
      slotMs: number,
      columns: Pick<JobRunRow, 'outcome' | 'result' | 'endedAtMs'>,
    ): Promise<void> {
      await models.jobRuns.update(columns, { where: { name, slotMs }, ...scope() })
    },
    /** Slots in which a task was started, also manually. */
    async slotsSince(name: JobName, fromMs: number): Promise<number[]> {
      return (await findAll({ name, slotMs: { [Op.gte]: fromMs } })).map(({ slotMs }) => slotMs)
    },
    async lastOfEach(): Promise<Map<JobName, JobRunRow>> {
      const newest = await models.jobRuns.findAll({
        attributes: ['name', [fn('MAX', col('slot_ms')), 'slotMs']],
        group: ['name'],
        ...scope(),
      })
      const last = new Map<JobName, JobRunRow>()
      for (const row of newest) {
        const { name, slotMs } = row.get()
        const run = await findOne({ name, slotMs })
        if (run) last.set(name, run)
      }
      return last
    },
  }
}
