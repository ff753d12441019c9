import type { Database } from '../../db/database.ts'

export type SettingsRepository = ReturnType<typeof createSettingsRepository>

/** One row for each setting that a site has chosen; the value is JSON. */
export function createSettingsRepository({ models: { settings }, scope }: Database) {
  return {
    async all(): Promise<Record<string, unknown>> {
      const rows = await settings.findAll(scope())
      return Object.fromEntries(rows.map((row) => [row.get().name, JSON.parse(row.get().value) as unknown]))
    },
    async replace(values: Record<string, unknown>): Promise<void> {
      await settings.destroy({ where: {}, ...scope() })
      const rows = Object.entries(values).map(([name, value]) => ({ name, value: JSON.stringify(value) }))
      await settings.bulkCreate(rows, scope())
    },
  }
}
