import type { Database } from './database.ts'

export type Mark = 'release' | 'stored'

/** Notes something about the site that is no setting; to be called within a write. */
export async function putMark(
  { sequelize, scope }: Pick<Database, 'sequelize' | 'scope'>,
  name: Mark,
  value: string,
): Promise<void> {
  await sequelize.query(
    `INSERT INTO site_marks (name, value) VALUES (:name, :value)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    { replacements: { name, value }, ...scope() },
  )
}
