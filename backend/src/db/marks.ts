import { QueryTypes } from 'sequelize'
import type { Tables } from './database.ts'

export type Mark = 'release' | 'stored' | 'calendar'

/** Notes something about the site that is no setting; to be called within a write. */
export async function putMark(
  { sequelize, scope }: Pick<Tables, 'sequelize' | 'scope'>,
  name: Mark,
  value: string,
): Promise<void> {
  await sequelize.query(
    `INSERT INTO site_marks (name, value) VALUES (:name, :value)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    { replacements: { name, value }, ...scope() },
  )
}

export async function getMark(
  { sequelize, scope }: Pick<Tables, 'sequelize' | 'scope'>,
  name: Mark,
): Promise<string | undefined> {
  const [row] = await sequelize.query<{ value: string }>('SELECT value FROM site_marks WHERE name = :name', {
    replacements: { name },
    type: QueryTypes.SELECT,
    ...scope(),
  })
  return row?.value
}
