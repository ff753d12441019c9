import { existsSync } from 'node:fs'
import { QueryTypes, Sequelize } from 'sequelize'
import { connectionOptions, fileOf } from './connection.ts'
import { closeSequelize } from './sqlite-connections.ts'
import { examineSchema, type SchemaState } from './migrations/index.ts'

export interface DatabaseHealth extends SchemaState {
  /** The faults that SQLite found in its file; empty without faults, and on PostgreSQL. */
  damage: string[]
}

/**
 * Examines a database and changes nothing.
 * @param check how much SQLite checks; the quick check omits the indexes
 * @throws Error if it cannot be opened
 */
export function examineDatabase(
  url: string,
  check: 'quick_check' | 'integrity_check' = 'quick_check',
): Promise<DatabaseHealth> {
  return looking(url, async (sequelize) => {
    const isSqlite = sequelize.getDialect() === 'sqlite'
    const rows = isSqlite
      ? await sequelize.query<Record<string, string>>(`PRAGMA ${check}`, { type: QueryTypes.SELECT })
      : []
    const damage = rows.map((row) => row[check] ?? '').filter((line) => line !== 'ok')
    if (damage.length > 0) return { pending: [], unknown: [], damage }
    return { ...(await examineSchema(sequelize)), damage }
  })
}

/**
 * Whether a database contains a site, that is an operator.
 * @throws Error if it cannot be read
 */
export async function holdsSite(url: string): Promise<boolean> {
  const file = fileOf(url)
  if (file !== undefined && !existsSync(file)) return false
  return looking(url, async (sequelize) => {
    if (!(await sequelize.getQueryInterface().tableExists('operators'))) return false
    const rows = await sequelize.query('SELECT 1 FROM operators LIMIT 1', { type: QueryTypes.SELECT })
    return rows.length > 0
  })
}

/** Copies the state of a SQLite database at one instant. Writes continue during the copy. */
export async function copyDatabase(url: string, to: string): Promise<void> {
  await looking(url, (sequelize) => sequelize.query('VACUUM INTO :to', { replacements: { to } }))
}

async function looking<T>(url: string, look: (sequelize: Sequelize) => Promise<T>): Promise<T> {
  const sequelize = new Sequelize(connectionOptions(url))
  try {
    return await look(sequelize)
  } finally {
    await closeSequelize(sequelize)
  }
}
