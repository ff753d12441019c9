import type { Database } from '../../db/database.ts'
import type { StationEventRow, StationRequestRow } from '../../db/rows.ts'

export type StationMessages = ReturnType<typeof createStationMessages>

/** Messages of stations that have been taken, so that none acts twice. */
export function createStationMessages({ models: { stationRequests, stationEvents }, scope }: Database) {
  return {
    async findRequest(stationId: string, requestId: string): Promise<StationRequestRow | undefined> {
      return (await stationRequests.findOne({ where: { stationId, requestId }, ...scope() }))?.get()
    },
    async saveRequest(row: StationRequestRow): Promise<void> {
      await stationRequests.create(row, scope())
    },
    /** @returns false when this event has been taken before */
    async saveEvent(row: StationEventRow): Promise<boolean> {
      const { stationId, bootId, seq } = row
      if ((await stationEvents.count({ where: { stationId, bootId, seq }, ...scope() })) > 0) return false
      await stationEvents.create(row, scope())
      return true
    },
  }
}
