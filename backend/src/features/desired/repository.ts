import { Op } from 'sequelize'
import type { Database } from '../../db/database.ts'
import { toSessionRecord } from '../../db/session-record.ts'
import type { SessionRecord, StationRow } from '../../db/rows.ts'

export type DesiredRepository = ReturnType<typeof createDesiredRepository>

export function createDesiredRepository({ models: { stations, sessions, users }, scope }: Database) {
  return {
    /** The version in force of each station's document. */
    async versions(): Promise<Map<string, number>> {
      const rows = await stations.findAll({ attributes: ['id', 'desiredVersion'], ...scope() })
      return new Map(rows.map((row) => [row.get().id, row.get().desiredVersion]))
    },
    async findStation(id: string): Promise<StationRow | undefined> {
      return (await stations.findByPk(id, scope()))?.get()
    },
    async saveVersion(id: string, desiredVersion: number): Promise<void> {
      await stations.update({ desiredVersion }, { where: { id }, ...scope() })
    },
    /** The session that is active or suspended at a station, and its visitor's first name. */
    async runningAt(stationId: string): Promise<{ session: SessionRecord; firstName?: string } | undefined> {
      const where = { stationId, state: { [Op.in]: ['active', 'suspended'] as const } }
      const row = (await sessions.findOne({ where, ...scope() }))?.get()
      if (!row) return undefined
      const user = row.userId ? (await users.findByPk(row.userId, scope()))?.get() : undefined
      return { session: toSessionRecord(row), ...(user ? { firstName: user.firstName } : {}) }
    },
  }
}
