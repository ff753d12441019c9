import { Op } from 'sequelize'
import type { Database } from '../../db/database.ts'
import type { PairingRequestRow } from '../../db/rows.ts'
import type { PageWindow, Rows } from '../../http/page.ts'

export type PairingRepository = ReturnType<typeof createPairingRepository>

export function createPairingRepository({ models: { pairingRequests }, scope }: Database) {
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
    async list(nowMs: number, { limit, offset }: PageWindow): Promise<Rows<PairingRequestRow>> {
      const { count, rows } = await pairingRequests.findAndCountAll({
        where: { expiresAtMs: { [Op.gt]: nowMs }, stationId: null },
        order: [['requestedAtMs', 'ASC']],
        limit,
        offset,
        ...scope(),
      })
      return { count, rows: rows.map((row) => row.get()) }
    },
  }
}
