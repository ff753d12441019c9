import type { Sequelize, Transaction } from 'sequelize'
import type { Table } from './models.ts'

type Value = string | number | boolean | null | undefined
type Row = Record<string, unknown>

/** Frequent SQL, which a connection prepares once. Its parameters are `$1`, `$2`... on both engines. */
export interface Statement<Found> {
  /** @returns the found rows, or the written rows with RETURNING */
  all(...values: Value[]): Promise<Found[]>
  get(...values: Value[]): Promise<Found | undefined>
  /** @returns how many rows were changed */
  run(...values: Value[]): Promise<number>
}

/** The rows of one execution, and how many it changed. */
interface Outcome {
  rows: Row[]
  changes: number
}

/** Executes SQL on one connection of an engine. */
interface Engine<Connection> {
  prepared(connection: Connection, sql: string, values: Value[]): Promise<Outcome>
  /** Statements without parameters, separated by semicolons. */
  script(connection: Connection, sql: string): Promise<void>
}

export type Statements = ReturnType<typeof createStatements>

/**
 * Prepared statements, on the connection of the current transaction or else on the reading one; and the count of all
 * statements, including those of Sequelize.
 */
export function createStatements(sequelize: Sequelize, scope: () => { transaction?: Transaction }) {
  const isSqlite = sequelize.getDialect() === 'sqlite'
  const engine = (isSqlite ? sqliteEngine() : postgresEngine()) as Engine<unknown>
  const manager = sequelize.connectionManager
  let count = 0
  let changeCount = 0

  sequelize.addHook('beforeQuery', (queryOptions, query) => {
    count += 1
    if (queryOptions.type !== 'SELECT') changeCount += 1
    // Without a list of tables, Sequelize asks SQLite for column types before each SELECT. It needs them only for dates
    // and JSON, and we have no such columns.
    const { options } = query as unknown as { options: { tableNames?: string[] } }
    if (isSqlite) options.tableNames = []
  })

  /** Fails with Sequelize's errors, so that all failures are handled in one place. */
  async function asSequelize<T>(connection: unknown, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (err) {
      const { Query } = (sequelize as unknown as { dialect: Dialect }).dialect
      throw new Query(connection, sequelize, {}).formatError(err)
    }
  }

  async function execute(sql: string, values: Value[]): Promise<Outcome> {
    count += 1
    if (!sql.startsWith('SELECT')) changeCount += 1
    const { transaction } = scope()
    if (transaction) {
      const { connection } = transaction as unknown as { connection: unknown }
      return asSequelize(connection, () => engine.prepared(connection, sql, values))
    }
    const connection = await manager.getConnection({ type: 'read' })
    try {
      return await asSequelize(connection, () => engine.prepared(connection, sql, values))
    } finally {
      manager.releaseConnection(connection)
    }
  }

  return {
    /** @param table the table of the columns, so that its booleans are booleans on SQLite too */
    statement<Found extends object>(sql: string, table?: Table<Found>): Statement<Found> {
      const booleans = isSqlite && table ? booleansOf(table) : []
      const text = isSqlite ? sql.replace(/\$(\d+)/g, '?$1') : sql
      const all = async (...values: Value[]): Promise<Found[]> => {
        const { rows } = await execute(text, values)
        for (const row of rows)
          for (const name of booleans) if (row[name] !== null) row[name] = Boolean(row[name])
        return rows as Found[]
      }
      return {
        all,
        get: async (...values) => (await all(...values))[0],
        run: async (...values) => (await execute(text, values)).changes,
      }
    },
    /** Runs one or more statements that have no parameters. */
    async script(connection: unknown, sql: string): Promise<void> {
      count += sql.split(';').length
      await asSequelize(connection, () => engine.script(connection, sql))
    },
    count: () => count,
    /** Number of statements that may have changed something. */
    changeCount: () => changeCount,
  }
}

/** The columns of a table, with their names in rows and in the database. */
export function fieldsOf<Found extends object>(table: Table<Found>): { name: string; field: string }[] {
  return Object.entries<{ field?: string }>(table.getAttributes()).map(([name, { field }]) => ({
    name,
    field: field ?? name,
  }))
}

/** The columns of a table for SELECT or RETURNING, with their names in rows. */
export function columnsOf<Found extends object>(table: Table<Found>): string {
  return fieldsOf(table)
    .map(({ name, field }) => `${field} AS "${name}"`)
    .join(', ')
}

function booleansOf<Found extends object>(table: Table<Found>): string[] {
  return Object.entries<{ type: unknown }>(table.getAttributes())
    .filter(([, { type }]) => String(type) === 'TINYINT(1)')
    .map(([name]) => name)
}

interface Dialect {
  Query: new (
    connection: unknown,
    sequelize: Sequelize,
    options: object,
  ) => { formatError(err: unknown): Error }
}

/** The part of the sqlite3 package that we use. */
interface SqliteStatement {
  all(values: Value[], done: (err: Error | null, rows: Row[]) => void): void
  run(values: Value[], done: (this: { changes: number }, err: Error | null) => void): void
  finalize(): void
}
export interface SqliteConnection {
  prepare(sql: string, done: (err: Error | null) => void): SqliteStatement
  exec(sql: string, done: (err: Error | null) => void): void
}

const preparedOn = new WeakMap<object, Map<string, SqliteStatement>>()

/** Call it before a connection is closed: SQLite cannot close one with prepared statements. */
export function forgetStatements(connection: object): void {
  for (const statement of preparedOn.get(connection)?.values() ?? []) statement.finalize()
  preparedOn.delete(connection)
}

function sqliteEngine(): Engine<SqliteConnection> {
  function prepare(connection: SqliteConnection, sql: string, failed: (err: Error) => void): SqliteStatement {
    const known = preparedOn.get(connection) ?? new Map<string, SqliteStatement>()
    preparedOn.set(connection, known)
    const found = known.get(sql)
    if (found) return found
    const made = connection.prepare(sql, (err) => {
      if (!err) return
      known.delete(sql)
      failed(err)
    })
    known.set(sql, made)
    return made
  }
  return {
    prepared: (connection, sql, values) =>
      new Promise((resolve, reject) => {
        const statement = prepare(connection, sql, reject)
        const bound = values.map((value) => value ?? null)
        if (/^\s*(SELECT|WITH)|RETURNING/.test(sql))
          statement.all(bound, (err, rows) => {
            if (err) reject(err)
            else resolve({ rows, changes: rows.length })
          })
        else
          statement.run(bound, function (err) {
            if (err) reject(err)
            else resolve({ rows: [], changes: this.changes })
          })
      }),
    script: (connection, sql) =>
      new Promise((resolve, reject) => {
        connection.exec(sql, (err) => {
          if (err) reject(err)
          else resolve()
        })
      }),
  }
}

/** The part of a connection of the `pg` package that we use. */
interface PostgresConnection {
  query(
    query: string | { name: string; text: string; values: Value[] },
  ): Promise<{ rows: Row[]; rowCount: number | null }>
}

function postgresEngine(): Engine<PostgresConnection> {
  /** A connection prepares a statement under its name once. */
  const names = new Map<string, string>()
  function nameOf(sql: string): string {
    const name = names.get(sql) ?? `escale_${names.size}`
    names.set(sql, name)
    return name
  }
  return {
    async prepared(connection, sql, values) {
      const bound = values.map((value) => value ?? null)
      const { rows, rowCount } = await connection.query({ name: nameOf(sql), text: sql, values: bound })
      return { rows, changes: rowCount ?? 0 }
    },
    async script(connection, sql) {
      await connection.query(sql)
    },
  }
}
