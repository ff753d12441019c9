import { Op } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import { openTable } from '../../db/table.ts'

export type SettingsRepository = ReturnType<typeof createSettingsRepository>

/** The row of the version, among those of the settings. */
const VERSION = '#version'

/** One row for each setting that a site has chosen; the value is JSON. */
export function createSettingsRepository(tables: Tables) {
  const { models, scope } = tables
  const { find, findAll, removeAll } = openTable(tables, 'settings')
  return {
    async all(): Promise<Record<string, unknown>> {
      const rows = await findAll({ name: { [Op.ne]: VERSION } })
      return Object.fromEntries(rows.map(({ name, value }) => [name, JSON.parse(value) as unknown]))
    },
    /** 1 while the defaults are in force. */
    async version(): Promise<number> {
      return Number((await find(VERSION))?.value ?? 1)
    },
    async replace(values: Record<string, unknown>, version: number): Promise<void> {
      await removeAll({})
      const rows = Object.entries({ ...values, [VERSION]: version })
      await models.settings.bulkCreate(
        rows.map(([name, value]) => ({ name, value: JSON.stringify(value) })),
        scope(),
      )
    },
  }
}
