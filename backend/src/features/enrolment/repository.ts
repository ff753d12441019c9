import { Op } from 'sequelize'
import type { PairingRequestQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import { readPage } from '../../db/read-page.ts'
import type { BootTokenRow, PairingRequestRow, SiteKeyRow } from '../../db/rows.ts'
import { equalTo } from '../../db/where.ts'
import type { PageWindow, Rows } from '../../db/page-window.ts'

export type PairingFilter = Omit<PairingRequestQuery, 'page' | 'pageSize' | 'ordering'>
export type PairingRepository = ReturnType<typeof createPairingRepository>

const searched = ['hostname', 'macAddress', 'pairingCode', 'ip', 'os'] as const

export function createPairingRepository({ models: { pairingRequests }, scope, containing }: Tables) {
  return {
    async find(id: string): Promise<PairingRequestRow | undefined> {
      return (await pairingRequests.findByPk(id, scope()))?.get()
    },
    async findBySecret(macAddress: string, secretHash: string): Promise<PairingRequestRow | undefined> {
      return (await pairingRequests.findOne({ where: { macAddress, secretHash }, ...scope() }))?.get()
    },
    async save(row: PairingRequestRow): Promise<void> {
      await pairingRequests.upsert(row, scope())
    },
    async remove(id: string): Promise<void> {
      await pairingRequests.destroy({ where: { id }, ...scope() })
    },
    async removeOthers({ id, macAddress }: PairingRequestRow): Promise<void> {
      await pairingRequests.destroy({ where: { macAddress, id: { [Op.ne]: id } }, ...scope() })
    },
    async removeExpired(nowMs: number): Promise<void> {
      await pairingRequests.destroy({ where: { expiresAtMs: { [Op.lte]: nowMs } }, ...scope() })
    },
    /** Waiting and accepted requests. The service limits their number. */
    async findAll(): Promise<PairingRequestRow[]> {
      return (await pairingRequests.findAll(scope())).map((row) => row.get())
    },
    /** Waiting requests. */
    async list(
      nowMs: number,
      { search, ...equal }: PairingFilter,
      { limit, offset, order }: PageWindow,
    ): Promise<Rows<PairingRequestRow>> {
      const waiting = { expiresAtMs: { [Op.gt]: nowMs }, stationId: null }
      const conditions = [waiting, equalTo<PairingRequestRow>(equal)]
      if (search) conditions.push(containing<PairingRequestRow>(searched, search))
      const { count, rows } = await readPage(pairingRequests, {
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

export type SiteKeyRepository = ReturnType<typeof createSiteKeyRepository>

export function createSiteKeyRepository({ models: { siteKeys }, scope }: Tables) {
  return {
    async find(): Promise<SiteKeyRow | undefined> {
      return (await siteKeys.findByPk(1, scope()))?.get()
    },
    async save(row: SiteKeyRow): Promise<void> {
      await siteKeys.upsert(row, scope())
    },
  }
}

export type BootTokenRepository = ReturnType<typeof createBootTokenRepository>

export function createBootTokenRepository({ models: { bootTokens }, scope }: Tables) {
  return {
    async findByHash(tokenHash: string): Promise<BootTokenRow | undefined> {
      return (await bootTokens.findOne({ where: { tokenHash }, ...scope() }))?.get()
    },
    async save(row: BootTokenRow): Promise<void> {
      await bootTokens.upsert(row, scope())
    },
    async remove(stationId: string): Promise<void> {
      await bootTokens.destroy({ where: { stationId }, ...scope() })
    },
  }
}
