import type { Database } from '../../db/database.ts'
import type { ThrottleRow } from '../../db/rows.ts'
import type { ThrottleState } from '../../domain/throttle.ts'

export type ThrottleRepository = ReturnType<typeof createThrottleRepository>

export function createThrottleRepository({ models: { throttles }, scope }: Database) {
  return {
    async find(key: string): Promise<ThrottleState | undefined> {
      return (await throttles.findByPk(key, scope()))?.get()
    },
    async save(row: ThrottleRow): Promise<void> {
      await throttles.upsert(row, scope())
    },
    async remove(keys: string[]): Promise<void> {
      await throttles.destroy({ where: { key: keys }, ...scope() })
    },
  }
}
