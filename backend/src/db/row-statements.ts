import type { Tables } from './database.ts'
import type { Table } from './models.ts'
import { fieldsOf, type Statement } from './statements.ts'

type Value = string | number | boolean | null | undefined

/**
 * Prepares the insertion of whole rows of a table.
 * @param conflict what follows the values: `ON CONFLICT ...`
 * @returns a function that inserts rows, and answers how many were inserted
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
 * Prepares a change of some columns of one row, by the columns that identify it.
 * @returns a function that takes the row with its new values, then the values that identify it, and answers how many
 * rows were changed
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

/** How many rows one statement takes: it is prepared for each number of them. */
const MOST_ROWS = 32

/**
 * Prepares SQL that takes any number of items, up to 32 in one statement.
 * @param sqlOf its text for a number of items
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

/** Parameters for rows of so many columns: `($1, $2), ($3, $4)`. */
export function parametersOf(rows: number, columns: number, casts: readonly string[] = []): string {
  const one = (row: number) =>
    Array.from({ length: columns }, (_, index) => {
      const name = `$${row * columns + index + 1}`
      return casts[index] ? `CAST(${name} AS ${casts[index]})` : name
    }).join(', ')
  return Array.from({ length: rows }, (_, row) => `(${one(row)})`).join(', ')
}

const nameOf = (table: { getTableName(): unknown }): string => String(table.getTableName())
