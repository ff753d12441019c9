import type { Tables } from './database.ts'
import type { Table } from './models.ts'
import { fieldsOf } from './statements.ts'

type Value = string | number | boolean | null | undefined

/**
 * Prepares the insertion of whole rows of a table.
 * @param conflict what follows the values: `ON CONFLICT ...`
 * @returns a function that inserts a row, and answers how many rows were inserted
 */
export function inserting<Row extends object>(
  { statement }: Pick<Tables, 'statement'>,
  table: Table<Row>,
  conflict = '',
): (row: Row) => Promise<number> {
  const fields = fieldsOf(table)
  const columns = fields.map(({ field }) => field).join(', ')
  const values = fields.map((_, index) => `$${index + 1}`).join(', ')
  const insert = statement(`INSERT INTO ${nameOf(table)} (${columns}) VALUES (${values}) ${conflict}`)
  return (row) => insert.run(...fields.map(({ name }) => (row as Record<string, Value>)[name]))
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

const nameOf = (table: { getTableName(): unknown }): string => String(table.getTableName())
