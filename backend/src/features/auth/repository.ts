import { Op } from 'sequelize'
import type { Database } from '../../db/database.ts'
import type { OperatorRow, RefreshTokenRow } from '../../db/rows.ts'

export type AuthRepository = ReturnType<typeof createAuthRepository>

export function createAuthRepository({ models: { operators, refreshTokens }, scope }: Database) {
  return {
    async countOperators(): Promise<number> {
      return operators.count(scope())
    },
    async findByUsername(username: string): Promise<OperatorRow | undefined> {
      return (await operators.findOne({ where: { username }, ...scope() }))?.get()
    },
    async findOperator(id: string): Promise<OperatorRow | undefined> {
      return (await operators.findByPk(id, scope()))?.get()
    },
    async insertOperator(row: OperatorRow): Promise<void> {
      await operators.create(row, scope())
    },
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
    async deleteExpired(nowMs: number): Promise<void> {
      await refreshTokens.destroy({ where: { expiresAtMs: { [Op.lte]: nowMs } }, ...scope() })
    },
  }
}
