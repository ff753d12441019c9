import { QueryTypes, type Sequelize, type Transaction } from 'sequelize'

/** The table of marks, and the current transaction. */
interface MarkTables {
  sequelize: Sequelize
  scope(): { transaction?: Transaction }
}

export type Mark = 'release' | 'stored' | 'calendar'

/** Records a value of the site that is not a setting. Call it inside a write. */
export async function putMark({ sequelize, scope }: MarkTables, name: Mark, value: string): Promise<void> {
  await sequelize.query(
    `INSERT INTO site_marks (name, value) VALUES (:name, :value)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    { replacements: { name, value }, ...scope() },
  )
}

export async function getMark({ sequelize, scope }: MarkTables, name: Mark): Promise<string | undefined> {
  const [row] = await sequelize.query<{ value: string }>('SELECT value FROM site_marks WHERE name = :name', {
    replacements: { name },
    type: QueryTypes.SELECT,
    ...scope(),
  })
  return row?.value
}
