import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { QueryTypes, Sequelize } from 'sequelize'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../../testing/database.ts'
import { connectionOptions } from '../connection.ts'
import { openDatabase } from '../database.ts'
import { closeSequelize } from '../sqlite-connections.ts'
import { migrate, migrations } from './index.ts'

type Row = Record<string, string | number | boolean | null>

const log = pino({ level: 'silent' })
let folder: string
let url: string
let drop: () => Promise<void>
let sequelize: Sequelize

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'escale-upgrade-'))
  ;({ url, drop } = await createTestDatabase(folder))
  const options = connectionOptions(url)
  sequelize = new Sequelize({ ...options, dialectOptions: { ...options.dialectOptions, mode: 6 } })
  if (sequelize.getDialect() === 'sqlite') return
  // The database of a test is a copy of the newest schema.
  await sequelize.query('DROP SCHEMA public CASCADE')
  await sequelize.query('CREATE SCHEMA public')
})
afterEach(async () => {
  await closeSequelize(sequelize)
  await drop()
  rmSync(folder, { recursive: true })
})

const select = <Found extends object>(sql: string) => sequelize.query<Found>(sql, { type: QueryTypes.SELECT })

async function tables(): Promise<string[]> {
  const isSqlite = sequelize.getDialect() === 'sqlite'
  const rows = await select<{ name: string }>(
    isSqlite
      ? `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'`
      : `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
  )
  return rows.map(({ name }) => name).filter((name) => name !== 'schema_migrations')
}

async function columnsOf(table: string): Promise<{ name: string; type: string }[]> {
  return select(
    sequelize.getDialect() === 'sqlite'
      ? `SELECT name, lower(type) AS type FROM pragma_table_info('${table}')`
      : `SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_name = '${table}'`,
  )
}

/** Tables that other tables refer to come first. */
const FIRST = ['operators', 'users', 'stations', 'sessions', 'logs']
const keys: Partial<Record<string, string>> = {
  operator_id: 'operators.id',
  user_id: 'users.id',
  station_id: 'stations.id',
  session_id: 'sessions.id',
}
const valueOf = (table: string, { name, type }: { name: string; type: string }) => {
  if (type === 'boolean') return true
  if (type !== 'text') return 1
  return keys[name] ?? `${table}.${name}`
}

/** Inserts one row into each table of the schema, with a value in every column. */
async function fill(): Promise<void> {
  const names = await tables()
  const ordered = [...FIRST, ...names.filter((name) => !FIRST.includes(name))]
  for (const table of ordered) {
    const columns = await columnsOf(table)
    const row = Object.fromEntries(columns.map((column) => [column.name, valueOf(table, column)]))
    await sequelize.getQueryInterface().bulkInsert(table, [row])
  }
}

async function contents(): Promise<Map<string, Row[]>> {
  const found = new Map<string, Row[]>()
  for (const table of await tables()) found.set(table, await select<Row>(`SELECT * FROM ${table}`))
  return found
}

/** Tables and columns that a migration removes or rebuilds on purpose, with the number of the migration. */
const CHANGED: Record<string, number> = {
  'users.has_photo': 2,
  'users.search_text': 8,
  station_requests: 4,
  pairing_requests: 6,
  'refresh_tokens.family_ends_at_ms': 7,
  'stations.search_text': 14,
}

function expectedOf(before: ReadonlyMap<string, Row[]>, from: number): Map<string, Row[]> {
  const isChanged = (name: string) => (CHANGED[name] ?? 0) > from
  const kept = [...before].filter(([table]) => !isChanged(table))
  return new Map(
    kept.map(([table, rows]) => [
      table,
      rows.map((row) =>
        Object.fromEntries(Object.entries(row).filter(([column]) => !isChanged(`${table}.${column}`))),
      ),
    ]),
  )
}

describe('a database of an earlier release', () => {
  it.each(migrations.map(({ name }, index) => [index + 1, name] as const))(
    'at migration %i, %s, is upgraded to the newest schema without loss of data',
    async (count) => {
      await migrate(sequelize, log, migrations.slice(0, count))
      await fill()
      const expected = expectedOf(await contents(), count)
      await (await openDatabase(url, log)).close()
      const after = await contents()
      for (const [table, rows] of expected) expect([table, after.get(table)]).toMatchObject([table, rows])
      const done = await select<{ name: string }>('SELECT name FROM schema_migrations ORDER BY name')
      expect(done.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name))
    },
  )

  it('does not change when a migration fails, and is upgraded later', async () => {
    await migrate(sequelize, log, migrations.slice(0, 1))
    await fill()
    const before = await contents()
    // This table exists already, so the last statement of migration 2 fails.
    await sequelize.query('CREATE TABLE log_checkpoints (wrong TEXT)')
    await expect(migrate(sequelize, log)).rejects.toThrow(/log_checkpoints/)
    await sequelize.query('DROP TABLE log_checkpoints')
    expect(await contents()).toEqual(before)
    expect(await select('SELECT name FROM schema_migrations')).toEqual([{ name: '0001-main-job' }])
    await migrate(sequelize, log)
    expect((await contents()).get('users')).toMatchObject([{ last_name: 'users.last_name' }])
  })
})
