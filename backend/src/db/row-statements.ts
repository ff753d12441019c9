import type { Tables } from './database.ts'
import type { Table } from './models.ts'
import { fieldsOf, type Statement } from './statements.ts'

type Value = string | number | boolean | null | undefined

/**
 * Prepares the insertion of complete rows of a table.
 * @param conflict SQL after the values: `ON CONFLICT ...`
 * @returns a function that inserts rows and returns how many were inserted
 */
export function inserting<Row extends object>(
  tables: Pick<Tables, 'statement'>,
  table: Table<Row>,
  conflict = '',
): (...rows: readonly Row[]) => Promise<number> {
  const fields = fieldsOf(table)
  const columns = fields.map(({ field }) => field).join(', ')
  const insert = forMany<Row, Row>(
    tables,
    (count) =>
      `INSERT INTO ${nameOf(table)} (${columns}) VALUES ${parametersOf(count, fields.length)} ${conflict}`,
    (rows) => rows.flatMap((row) => fields.map(({ name }) => (row as Record<string, Value>)[name])),
  )
  return (...rows) => insert.run(rows)
}

/**
 * Prepares an update of some columns of one row, identified by other columns.
 * @returns a function that takes the row with its new values, then the identifying values, and returns how many rows
 * were changed
 */
export function updating<Row extends object>(
  { statement }: Pick<Tables, 'statement'>,
  table: Table<Row>,
  changed: readonly (keyof Row & string)[],
  by: readonly (keyof Row & string)[],
): (row: Partial<Row>, ...identity: Value[]) => Promise<number> {
  const fields = new Map(fieldsOf(table).map(({ name, field }) => [name, field]))
  const equal = (names: readonly string[], from: number) =>
    names.map((name, index) => `${fields.get(name) ?? name} = $${from + index}`)
  const sets = equal(changed, 1).join(', ')
  const where = equal(by, changed.length + 1).join(' AND ')
  const update = statement(`UPDATE ${nameOf(table)} SET ${sets} WHERE ${where}`)
  return (row, ...identity) =>
    update.run(...changed.map((name) => (row as Record<string, Value>)[name]), ...identity)
}

/** Maximum number of rows in one statement. It is prepared for each number. */
const MOST_ROWS = 32

/**
 * Prepares SQL for any number of items, up to 32 in one statement.
 * @param sqlOf the SQL for a number of items
 */
export function forMany<Item, Found extends object>(
  { statement }: Pick<Tables, 'statement'>,
  sqlOf: (count: number) => string,
  valuesOf: (items: readonly Item[]) => Value[],
  table?: Table<Found>,
): {
  all(items: readonly Item[]): Promise<Found[]>
  run(items: readonly Item[]): Promise<number>
} {
  const prepared = new Map<number, Statement<Found>>()
  function ofCount(count: number): Statement<Found> {
    const made = prepared.get(count) ?? statement(sqlOf(count), table)
    prepared.set(count, made)
    return made
  }
  const parts = function* (items: readonly Item[]) {
    for (let from = 0; from < items.length; from += MOST_ROWS) yield items.slice(from, from + MOST_ROWS)
  }
  return {
    async all(items) {
      const found: Found[] = []
      for (const part of parts(items)) found.push(...(await ofCount(part.length).all(...valuesOf(part))))
      return found
    },
    async run(items) {
      let changes = 0
      for (const part of parts(items)) changes += await ofCount(part.length).run(...valuesOf(part))
      return changes
    },
  }
}

/** Parameters for rows with this many columns: `($1, $2), ($3, $4)`. */
export function parametersOf(rows: number, columns: number, casts: readonly string[] = []): string {
  const one = (row: number) =>
    Array.from({ length: columns }, (_, index) => {
      const name = `$${row * columns + index + 1}`
      return casts[index] ? `CAST(${name} AS ${casts[index]})` : name
    }).join(', ')
  return Array.from({ length: rows }, (_, row) => `(${one(row)})`).join(', ')
}

const nameOf = (table: { getTableName(): unknown }): string => String(table.getTableName())
