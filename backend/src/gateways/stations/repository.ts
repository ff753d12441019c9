import { Op, type Model } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import type { StationEventRow } from '../../db/rows.ts'

export type StationMessages = ReturnType<typeof createStationMessages>

/** The numbers of handled station events, so that none counts twice. */
export function createStationMessages({ models: { stationEvents }, scope }: Tables) {
  return {
    /** The highest handled event number of this start of the agent; undefined before the first event. */
    async lastSeq(stationId: string, bootId: string): Promise<number | undefined> {
      const where = { stationId, bootId }
      const max = await stationEvents.max<number | null, Model<StationEventRow>>('seq', { where, ...scope() })
      return max ?? undefined
    },
    removeBefore: (cutoffMs: number): Promise<number> =>
      stationEvents.destroy({ where: { atMs: { [Op.lt]: cutoffMs } }, ...scope() }),
    /** @returns false if this event was already handled */
    async saveEvent(row: StationEventRow): Promise<boolean> {
      const { stationId, bootId, seq } = row
      if ((await stationEvents.count({ where: { stationId, bootId, seq }, ...scope() })) > 0) return false
      await stationEvents.create(row, scope())
      return true
    },
  }
}
