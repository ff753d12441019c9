import { Op } from 'sequelize'
import type { PairingRequestQuery } from '@escale/protocol'
import type { Database } from '../../db/database.ts'
import type { PairingRequestRow } from '../../db/rows.ts'
import { equalTo } from '../../db/where.ts'
import type { PageWindow, Rows } from '../../http/page.ts'

export type PairingFilter = Omit<PairingRequestQuery, 'page' | 'pageSize' | 'ordering'>
export type PairingRepository = ReturnType<typeof createPairingRepository>

const searched = ['hostname', 'macAddress', 'pairingCode', 'ip', 'os'] as const

export function createPairingRepository({ models: { pairingRequests }, scope, containing }: Database) {
  return {
    async find(id: string): Promise<PairingRequestRow | undefined> {
      return (await pairingRequests.findByPk(id, scope()))?.get()
    },
    async findByMac(macAddress: string): Promise<PairingRequestRow | undefined> {
      return (await pairingRequests.findOne({ where: { macAddress }, ...scope() }))?.get()
    },
    async save(row: PairingRequestRow): Promise<void> {
      await pairingRequests.upsert(row, scope())
    },
    async remove(id: string): Promise<void> {
      await pairingRequests.destroy({ where: { id }, ...scope() })
    },
    async removeExpired(nowMs: number): Promise<void> {
      await pairingRequests.destroy({ where: { expiresAtMs: { [Op.lte]: nowMs } }, ...scope() })
    },
    async count(): Promise<number> {
      return pairingRequests.count(scope())
    },
    /** Those that still wait. */
    async list(
      nowMs: number,
      { search, ...equal }: PairingFilter,
      { limit, offset, order }: PageWindow,
    ): Promise<Rows<PairingRequestRow>> {
      const waiting = { expiresAtMs: { [Op.gt]: nowMs }, stationId: null }
      const conditions = [waiting, equalTo<PairingRequestRow>(equal)]
      if (search) conditions.push(containing<PairingRequestRow>(searched, search))
      const { count, rows } = await pairingRequests.findAndCountAll({
        where: { [Op.and]: conditions },
        order: [...(order ? [order] : []), ['requestedAtMs', 'ASC'], ['id', 'ASC']],
        limit,
        offset,
        ...scope(),
      })
      return { count, rows: rows.map((row) => row.get()) }
    },
  }
}
