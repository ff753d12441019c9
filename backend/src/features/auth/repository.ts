import { Op } from 'sequelize'
import type { Database } from '../../db/database.ts'
import type { RefreshTokenRow } from '../../db/rows.ts'

export type AuthRepository = ReturnType<typeof createAuthRepository>

export function createAuthRepository({ models: { refreshTokens }, scope }: Database) {
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
    async deleteOf(operatorId: string): Promise<void> {
      await refreshTokens.destroy({ where: { operatorId }, ...scope() })
    },
    async deleteExpired(nowMs: number): Promise<void> {
      await refreshTokens.destroy({ where: { expiresAtMs: { [Op.lte]: nowMs } }, ...scope() })
    },
  }
}
