import type { Store } from '../../db/database.ts'
import type { StationRow } from '../../db/rows.ts'
import type { Room } from '../../domain/room.ts'

export type StationRepository = ReturnType<typeof createStationRepository>

/** The rows of stations. Committed changes also go to the room. */
export function createStationRepository(
  { models, scope, afterCommit }: Store,
  room: Pick<Room, 'putStation'>,
) {
  const { stations, retiredStations, revokedSecrets, bootTokens } = models
  return {
    async insert(row: StationRow): Promise<void> {
      await stations.create(row, scope())
      afterCommit(() => room.putStation(row))
    },
    async find(id: string): Promise<StationRow | undefined> {
      return (await stations.findByPk(id, scope()))?.get()
    },
    async findBy(
      where: Pick<Partial<StationRow>, 'macAddress' | 'ipAddress'>,
    ): Promise<StationRow | undefined> {
      return (await stations.findOne({ where, ...scope() }))?.get()
    },
    async update(id: string, columns: Partial<StationRow>): Promise<void> {
      const row = (await stations.findByPk(id, scope()))?.get()
      if (!row) return
      await stations.update(columns, { where: { id }, ...scope() })
      afterCommit(() => room.putStation({ ...row, ...columns }))
    },
    /** Removes a station but keeps its last version, because a new station may have the same id and agent. */
    async retire(stationId: string, desiredVersion: number): Promise<void> {
      await retiredStations.upsert({ stationId, desiredVersion }, scope())
      await stations.destroy({ where: { id: stationId }, ...scope() })
    },
    /** The last version of a deleted station with this id; 0 if there was none. */
    async retiredVersion(stationId: string): Promise<number> {
      return (await retiredStations.findByPk(stationId, scope()))?.get().desiredVersion ?? 0
    },
    async removeBootToken(stationId: string): Promise<void> {
      await bootTokens.destroy({ where: { stationId }, ...scope() })
    },
    async markRevoked(stationId: string, atMs: number): Promise<void> {
      await revokedSecrets.upsert({ stationId, atMs }, scope())
    },
    async unmarkRevoked(stationId: string): Promise<void> {
      await revokedSecrets.destroy({ where: { stationId }, ...scope() })
    },
    async isRevoked(stationId: string): Promise<boolean> {
      return (await revokedSecrets.findByPk(stationId, scope())) !== null
    },
  }
}
