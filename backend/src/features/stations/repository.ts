import { Op } from 'sequelize'
import { MAX_VERSION_LEAD_MS } from '@escale/protocol'
import type { Store } from '../../db/database.ts'
import type { Table } from '../../db/models.ts'
import type { StationRow } from '../../db/rows.ts'
import { forMany, parametersOf } from '../../db/row-statements.ts'
import { columnsOf } from '../../db/statements.ts'
import { openTable } from '../../db/table.ts'

export type StationRepository = ReturnType<typeof createStationRepository>

/** Each station at most once. */
interface Raise {
  stationId: string
  atLeast: number
}

/** A station with its new version, its call and its visitor's first name. */
type RaisedStation = StationRow & { call: 'waiting' | 'taken' | null; firstName: string | null }

/** The rows of stations. @param onChanged is called after a change was committed */
export function createStationRepository(database: Store, onChanged: (station: StationRow) => void) {
  const { models, scope, statement, afterCommit } = database
  const { stations, retiredStations } = models
  const { findOne, get, findAll, insert, remove } = openTable(database, 'stations')
  const retired = openTable(database, 'retiredStations')
  const revoked = openTable(database, 'revokedSecrets')
  const byId = statement(`SELECT ${columnsOf(stations)} FROM stations WHERE id = $1`, stations)
  const raise = forMany<Raise, RaisedStation>(
    database,
    (count) => `UPDATE stations SET desired_version =
        CASE WHEN desired_version >= raised.at_least THEN desired_version + 1 ELSE raised.at_least END
      FROM (SELECT column1 AS station_id, column2 AS at_least
        FROM (VALUES ${parametersOf(count, 2, ['TEXT', 'BIGINT'])}) AS raises) AS raised
      WHERE stations.id = raised.station_id
      RETURNING ${columnsOf(stations)},
        (SELECT CASE WHEN taken_at_ms IS NULL THEN 'waiting' ELSE 'taken' END
          FROM staff_calls WHERE station_id = stations.id) AS "call",
        (SELECT first_name FROM users WHERE users.id = (SELECT user_id FROM sessions
          WHERE station_id = stations.id AND state IN ('active', 'suspended'))) AS "firstName"`,
    (raises) => raises.flatMap(({ stationId, atLeast }) => [stationId, atLeast]),
    stations as unknown as Table<RaisedStation>,
  )
  return {
    async insert(row: StationRow): Promise<void> {
      await insert(row)
      afterCommit(() => onChanged(row))
    },
    find: (id: string): Promise<StationRow | undefined> => byId.get(id),
    get,
    /** The matching stations; all stations without a condition. */
    findAll: (where: { id?: string[]; location?: string } = {}) => findAll(where, [['id', 'ASC']]),
    findBy: (where: Pick<Partial<StationRow>, 'macAddress' | 'ipAddress'>) => findOne(where),
    /** Those of the given stations that exist. */
    async knownIds(ids: readonly string[]): Promise<Set<string>> {
      const rows = await stations.findAll({ attributes: ['id'], where: { id: [...ids] }, ...scope() })
      return new Set(rows.map((row) => row.get().id))
    },
    async update(id: string, columns: Partial<StationRow>): Promise<void> {
      const row = await byId.get(id)
      if (!row) return
      await stations.update(columns, { where: { id }, ...scope() })
      afterCommit(() => onChanged({ ...row, ...columns }))
    },
    /** Gives the documents of stations the next version, or `atLeast` if that is higher; @returns the stations that exist */
    raiseVersions: raise.all,
    /** Lowers versions that lie more than a day beyond `unixMs`; @returns the stations as they were. Call it inside a write. */
    async repairVersions(unixMs: number): Promise<StationRow[]> {
      const where = { desiredVersion: { [Op.gt]: unixMs + MAX_VERSION_LEAD_MS } }
      const before = await findAll(where)
      await stations.update({ desiredVersion: unixMs }, { where, ...scope() })
      await retiredStations.update({ desiredVersion: unixMs }, { where, ...scope() })
      return before
    },
    /** Removes a station but keeps its last version, because a new station may have the same id and agent. */
    async retire(stationId: string, desiredVersion: number): Promise<void> {
      await retired.save({ stationId, desiredVersion })
      await remove(stationId)
    },
    /** The last version of a deleted station with this id; 0 if there was none. */
    retiredVersion: async (stationId: string) => (await retired.find(stationId))?.desiredVersion ?? 0,
    markRevoked: (stationId: string, atMs: number) => revoked.save({ stationId, atMs }),
    unmarkRevoked: (stationId: string) => revoked.remove(stationId),
    isRevoked: async (stationId: string) => (await revoked.find(stationId)) !== undefined,
  }
}
