import { Op } from 'sequelize'
import type { PairingRequestQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { PairingRequestRow } from '../../db/rows.ts'
import { openTable } from '../../db/table.ts'

export type PairingRepository = ReturnType<typeof createPairingRepository>

export function createPairingRepository(tables: Tables) {
  const { find, findOne, findAll, save, remove, removeAll, page } = openTable(tables, 'pairingRequests')
  return {
    find,
    save,
    remove,
    findBySecret: (macAddress: string, secretHash: string) => findOne({ macAddress, secretHash }),
    removeOthers: ({ id, macAddress }: PairingRequestRow) => removeAll({ macAddress, id: { [Op.ne]: id } }),
    removeExpired: (nowMs: number) => removeAll({ expiresAtMs: { [Op.lte]: nowMs } }),
    /** Waiting and accepted requests. The service limits their number. */
    findAll: () => findAll(),
    listWaiting: (nowMs: number, query: PairingRequestQuery) =>
      page(query, {
        orderable: ['requestedAt', 'expiresAt', 'hostname', 'macAddress', 'ip', 'os', 'agentVersion'],
        searched: ['hostname', 'macAddress', 'pairingCode', 'ip', 'os'],
        where: [{ expiresAtMs: { [Op.gt]: nowMs }, stationId: null }],
        order: [
          ['requestedAtMs', 'ASC'],
          ['id', 'ASC'],
        ],
      }),
  }
}

export type SiteKeyRepository = ReturnType<typeof createSiteKeyRepository>

export function createSiteKeyRepository(tables: Tables) {
  const { find, save } = openTable(tables, 'siteKeys')
  return { find: () => find(1), save }
}

export type BootTokenRepository = ReturnType<typeof createBootTokenRepository>

export function createBootTokenRepository(tables: Tables) {
  const { findOne, save, remove } = openTable(tables, 'bootTokens')
  return { findByHash: (tokenHash: string) => findOne({ tokenHash }), save, remove }
}
