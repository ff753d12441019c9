import { Op } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import type { RefreshTokenRow } from '../../db/rows.ts'

export type AuthRepository = ReturnType<typeof createAuthRepository>

export function createAuthRepository({ models: { refreshTokens }, scope }: Tables) {
  return {
    async insertRefreshToken(row: RefreshTokenRow): Promise<void> {
      await refreshTokens.create(row, scope())
    },
    async findRefreshToken(tokenHash: string): Promise<RefreshTokenRow | undefined> {
      return (await refreshTokens.findByPk(tokenHash, scope()))?.get()
    },
    async markUsed(tokenHash: string, usedAtMs: number): Promise<void> {
      await refreshTokens.update({ usedAtMs }, { where: { tokenHash }, ...scope() })
    },
    async deleteFamily(familyId: string): Promise<void> {
      await refreshTokens.destroy({ where: { familyId }, ...scope() })
    },
    async isFamilyAlive(familyId: string): Promise<boolean> {
      const attributes = ['familyId']
      return (await refreshTokens.findOne({ attributes, where: { familyId }, ...scope() })) !== null
    },
    /** Which of the given families are alive. */
    async liveFamilies(familyIds: string[]): Promise<Set<string>> {
      const rows = await refreshTokens.findAll({
        attributes: ['familyId'],
        where: { familyId: familyIds },
        ...scope(),
      })
      return new Set(rows.map((row) => row.get().familyId))
    },
    /** @param keptFamilyId the family that stays */
    async deleteOf(operatorId: string, keptFamilyId?: string): Promise<void> {
      const isOther = keptFamilyId === undefined ? {} : { familyId: { [Op.ne]: keptFamilyId } }
      await refreshTokens.destroy({ where: { operatorId, ...isOther }, ...scope() })
    },
    async deleteExpired(nowMs: number): Promise<void> {
      await refreshTokens.destroy({ where: { expiresAtMs: { [Op.lte]: nowMs } }, ...scope() })
    },
  }
}
