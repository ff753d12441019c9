import { Op } from 'sequelize'
import type { Tables } from '../../db/database.ts'

export type SettingsRepository = ReturnType<typeof createSettingsRepository>

/** The row of the version, among those of the settings. */
const VERSION = '#version'

/** One row for each setting that a site has chosen; the value is JSON. */
export function createSettingsRepository({ models: { settings }, scope }: Tables) {
  return {
    async all(): Promise<Record<string, unknown>> {
      const rows = await settings.findAll({ where: { name: { [Op.ne]: VERSION } }, ...scope() })
      return Object.fromEntries(rows.map((row) => [row.get().name, JSON.parse(row.get().value) as unknown]))
    },
    /** 1 while the defaults are in force. */
    async version(): Promise<number> {
      return Number((await settings.findByPk(VERSION, scope()))?.get().value ?? 1)
    },
    async replace(values: Record<string, unknown>, version: number): Promise<void> {
      await settings.destroy({ where: {}, ...scope() })
      const rows = Object.entries({ ...values, [VERSION]: version })
      await settings.bulkCreate(
        rows.map(([name, value]) => ({ name, value: JSON.stringify(value) })),
        scope(),
      )
    },
  }
}
