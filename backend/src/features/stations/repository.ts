import { Op, type WhereOptions } from 'sequelize'
import type { StationQuery, StationState } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { RawRow, StationPresenceRow, StationRow, StationViewRow } from '../../db/rows.ts'
import { equalTo } from '../../db/where.ts'
import { searchTextOf } from '../../domain/search-text.ts'
import type { PageWindow, Rows } from '../../db/page-window.ts'

export type StationFilter = Omit<StationQuery, 'page' | 'pageSize' | 'ordering'>
export type StationRepository = ReturnType<typeof createStationRepository>

const figureColumns = [
  'lastHeardAtMs',
  'lastHeartbeatAtMs',
  'lastSeenIp',
  'bootId',
  'connectionSeq',
  'agentVersion',
  'os',
  'reportedState',
  'reportedVersion',
  'metrics',
  'presence',
] as const satisfies (keyof StationPresenceRow)[]

export function createStationRepository({ models, scope, containing }: Tables) {
  const { stations, stationPresences, stationViews, retiredStations, revokedSecrets, bootTokens } = models
  return {
    async insert(row: StationRow): Promise<void> {
      await stations.create({ ...row, searchText: textOf(row) }, scope())
    },
    async find(id: string): Promise<StationRow | undefined> {
      return (await stations.findByPk(id, scope()))?.get()
    },
    async findBy(
      where: Pick<Partial<StationRow>, 'macAddress' | 'ipAddress'>,
    ): Promise<StationRow | undefined> {
      return (await stations.findOne({ where, ...scope() }))?.get()
    },
    async findAll(ids: string[]): Promise<StationRow[]> {
      const rows = await stations.findAll({ where: { id: ids }, ...scope() })
      return rows.map((row) => row.get())
    },
    /** Those of the given stations that exist. */
    async knownIds(ids: string[]): Promise<Set<string>> {
      const rows = await stations.findAll({ attributes: ['id'], where: { id: ids }, ...scope() })
      return new Set(rows.map((row) => row.get().id))
    },
    async update(id: string, columns: Partial<StationRow>): Promise<void> {
      const row = (await stations.findByPk(id, scope()))?.get()
      if (!row) return
      const searchText = textOf({ ...row, ...columns })
      await stations.update({ ...columns, searchText }, { where: { id }, ...scope() })
    },
    /** Removes a station, but for the version at which it stopped: its agent may come back under its name. */
    async retire(stationId: string, desiredVersion: number): Promise<void> {
      await retiredStations.upsert({ stationId, desiredVersion }, scope())
      await stations.destroy({ where: { id: stationId }, ...scope() })
    },
    /** The version at which a station of this name was deleted; 0 where there was none. */
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
    async findView(id: string): Promise<StationViewRow | undefined> {
      return (await stationViews.findByPk(id, scope()))?.get()
    },
    async findViews(ids: string[]): Promise<StationViewRow[]> {
      const rows = await stationViews.findAll({ where: { id: ids }, ...scope() })
      return rows.map((row) => row.get())
    },
    async list(
      { search, ...equal }: StationFilter,
      { limit, offset, order }: PageWindow,
    ): Promise<Rows<StationViewRow>> {
      const conditions = [equalTo<StationViewRow>(equal)]
      if (search) conditions.push(containing<StationViewRow>(['searchText'], search))
      const { count, rows } = await stationViews.findAndCountAll({
        where: { [Op.and]: conditions },
        order: [...(order ? [order] : []), ['searchText', 'ASC'], ['id', 'ASC']],
        limit,
        offset,
        // Read often: building Sequelize's own rows takes longer than the query.
        raw: true,
        ...scope(),
      })
      return { count, rows: (rows as unknown as RawRow<StationViewRow>[]).map(viewOf) }
    },
    async count(where: WhereOptions<StationViewRow> = {}): Promise<number> {
      return stationViews.count({ where, ...scope() })
    },
    countState: async (state: StationState): Promise<number> =>
      stationViews.count({ where: { state }, ...scope() }),
    /** All of them, or those of the given stations. */
    async presences(stationIds?: string[]): Promise<StationPresenceRow[]> {
      const where = stationIds === undefined ? {} : { stationId: stationIds }
      const rows = await stationPresences.findAll({ where, ...scope() })
      return rows.map((row) => row.get())
    },
    /** Writes presences whole, in one statement. */
    async savePresences(rows: StationPresenceRow[]): Promise<void> {
      await stationPresences.bulkCreate(rows, { updateOnDuplicate: ['online', ...figureColumns], ...scope() })
    },
    /** Writes all but whether a station is online, which another server may have changed meanwhile. */
    async saveFigures(rows: StationPresenceRow[]): Promise<void> {
      await stationPresences.bulkCreate(rows, { updateOnDuplicate: [...figureColumns], ...scope() })
    },
  }
}

const viewOf = (row: RawRow<StationViewRow>): StationViewRow => ({
  ...row,
  online: Boolean(row.online),
  isMaintenance: Boolean(row.isMaintenance),
  isMarkedOffline: Boolean(row.isMarkedOffline),
})

const textOf = ({ label, location, id, ipAddress, macAddress }: StationRow) =>
  searchTextOf([label, location, id, ipAddress, macAddress])
