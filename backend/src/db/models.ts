import type { Model, ModelStatic, Sequelize } from 'sequelize'
import type { RowOf } from './columns.ts'
import { tables } from './rows.ts'

export type Table<Row extends object> = ModelStatic<Model<Row, Row>>

export type Models = { readonly [Name in keyof typeof tables]: Table<RowOf<(typeof tables)[Name]>> }

/** The tables as Sequelize knows them. */
export function defineModels(sequelize: Sequelize): Models {
  const models = Object.entries(tables).map(([name, columns]) => {
    // Sequelize writes into what it is given.
    const attributes = Object.entries(columns).map(
      ([column, { options }]) => [column, { ...options }] as const,
    )
    return [name, sequelize.define(tableNameOf(name), Object.fromEntries(attributes))] as const
  })
  // `fromEntries` forgets which name has which columns; both come from `tables`.
  return Object.fromEntries(models) as unknown as Models
}

/** `staffCalls` -> `staff_calls`. */
const tableNameOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
