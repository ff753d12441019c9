import { Op } from 'sequelize'
import { MAX_VERSION_LEAD_MS } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { Table } from '../../db/models.ts'
import { columnsOf } from '../../db/statements.ts'
import { toSessionRecord } from '../../db/session-record.ts'
import type { SessionRecord, StationRow } from '../../db/rows.ts'

export type DesiredRepository = ReturnType<typeof createDesiredRepository>

/** An active or suspended session, and its visitor's first name. */
export interface RunningSession {
  session: SessionRecord
  firstName?: string
}

/** A station with its new version, its call and its visitor's first name. */
export type RaisedStation = StationRow & { call: 'waiting' | 'taken' | null; firstName: string | null }

export function createDesiredRepository({
  models: { stations, sessions, users, staffCalls, retiredStations, logs },
  scope,
  statement,
}: Tables) {
  const raise = statement<RaisedStation>(
    `UPDATE stations SET desired_version = CASE WHEN desired_version >= $2 THEN desired_version + 1 ELSE $2 END
      WHERE id = $1
      RETURNING ${columnsOf(stations)},
        (SELECT CASE WHEN taken_at_ms IS NULL THEN 'waiting' ELSE 'taken' END
          FROM staff_calls WHERE station_id = stations.id) AS "call",
        (SELECT first_name FROM users WHERE users.id = $3) AS "firstName"`,
    stations as unknown as Table<RaisedStation>,
  )
  return {
    /**
     * Gives a station the next version, or `atLeast` if that is higher.
     * @param userId the user whose first name to return
     * @returns undefined if there is no such station
     */
    raiseVersion: (id: string, atLeast: number, userId?: string): Promise<RaisedStation | undefined> =>
      raise.get(id, atLeast, userId),
    /** The current version of each station's document. */
    async versions(): Promise<Map<string, number>> {
      const rows = await stations.findAll({ attributes: ['id', 'desiredVersion'], ...scope() })
      return new Map(rows.map((row) => [row.get().id, row.get().desiredVersion]))
    },
    /** When the newest journal record was written, Unix milliseconds; 0 without records. */
    async newestRecordMs(): Promise<number> {
      return (await logs.findOne({ order: [['id', 'DESC']], ...scope() }))?.get().atMs ?? 0
    },
    /** Lowers the versions of deleted stations that lie more than a day beyond `unixMs`. */
    async repairRetired(unixMs: number): Promise<void> {
      const where = { desiredVersion: { [Op.gt]: unixMs + MAX_VERSION_LEAD_MS } }
      await retiredStations.update({ desiredVersion: unixMs }, { where, ...scope() })
    },
    async findStation(id: string): Promise<StationRow | undefined> {
      return (await stations.findByPk(id, scope()))?.get()
    },
    async saveVersion(id: string, desiredVersion: number): Promise<void> {
      await stations.update({ desiredVersion }, { where: { id }, ...scope() })
    },
    async findStations(ids: string[]): Promise<StationRow[]> {
      const rows = await stations.findAll({ where: { id: ids }, ...scope() })
      return rows.map((row) => row.get())
    },
    /** By station, the state of its open call. */
    async callsAt(stationIds: string[]): Promise<Map<string, 'waiting' | 'taken'>> {
      const rows = await staffCalls.findAll({ where: { stationId: stationIds }, ...scope() })
      return new Map(
        rows.map((row) => [row.get().stationId, row.get().takenAtMs === null ? 'waiting' : 'taken']),
      )
    },
    /** By station, its active or suspended session. */
    async runningAt(stationIds: string[]): Promise<Map<string, RunningSession>> {
      const where = { stationId: stationIds, state: { [Op.in]: ['active', 'suspended'] as const } }
      const rows = (await sessions.findAll({ where, ...scope() })).map((row) => row.get())
      const userIds = rows.flatMap(({ userId }) => userId ?? [])
      const visitors = userIds.length ? await users.findAll({ where: { id: userIds }, ...scope() }) : []
      const firstNames = new Map(visitors.map((row) => [row.get().id, row.get().firstName]))
      return new Map(
        rows.map((row) => [
          row.stationId ?? '',
          { session: toSessionRecord(row), firstName: firstNames.get(row.userId ?? '') },
        ]),
      )
    },
  }
}
