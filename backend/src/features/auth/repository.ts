import { Op } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import { openTable } from '../../db/table.ts'

export type AuthRepository = ReturnType<typeof createAuthRepository>

export function createAuthRepository(tables: Tables) {
  const { models, scope } = tables
  const { find, count, insert, removeAll } = openTable(tables, 'refreshTokens')
  return {
    find,
    insert,
    async markUsed(tokenHash: string, usedAtMs: number): Promise<void> {
      await models.refreshTokens.update({ usedAtMs }, { where: { tokenHash }, ...scope() })
    },
    removeFamily: (familyId: string) => removeAll({ familyId }),
    isFamilyAlive: async (familyId: string) => (await count({ familyId })) > 0,
    /** Which of the given families are alive. */
    async liveFamilies(familyIds: string[]): Promise<Set<string>> {
      const where = { familyId: familyIds }
      const rows = await models.refreshTokens.findAll({ attributes: ['familyId'], where, ...scope() })
      return new Set(rows.map((row) => row.get().familyId))
    },
    /** @param keptFamilyId the family that stays */
    removeOf: (operatorId: string, keptFamilyId = '') =>
      removeAll({ operatorId, familyId: { [Op.ne]: keptFamilyId } }),
    removeExpired: (nowMs: number) => removeAll({ expiresAtMs: { [Op.lte]: nowMs } }),
  }
}
