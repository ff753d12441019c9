import { QueryTypes, Sequelize } from 'sequelize'
import { connectionOptions } from './connection.ts'
import { pendingMigrations } from './migrations/index.ts'

export interface DatabaseHealth {
  /** Steps of the schema that the next start will do. */
  pending: string[]
  /** What SQLite found wrong with its file; empty where nothing is, and on PostgreSQL. */
  damage: string[]
}

/** Looks at a database and changes nothing. @throws Error when it cannot be opened */
export async function examineDatabase(url: string): Promise<DatabaseHealth> {
  const sequelize = new Sequelize(connectionOptions(url))
  try {
    const isSqlite = sequelize.getDialect() === 'sqlite'
    const rows = isSqlite
      ? await sequelize.query<{ quick_check: string }>('PRAGMA quick_check', { type: QueryTypes.SELECT })
      : []
    const damage = rows.map((row) => row.quick_check).filter((line) => line !== 'ok')
    return { pending: damage.length > 0 ? [] : await pendingMigrations(sequelize), damage }
  } finally {
    await sequelize.close()
  }
}
