import { DataTypes, type ModelAttributeColumnOptions } from 'sequelize'

/** A column as Sequelize defines it, and the type of its values. */
export interface Column<T> {
  readonly options: ModelAttributeColumnOptions
  /** Only for the type: the value does not exist. */
  readonly value?: T
}

type Columns = Readonly<Record<string, Column<unknown>>>

type OptionalNames<C extends Columns> = {
  [K in keyof C]: C[K] extends Column<infer T> ? (undefined extends T ? K : never) : never
}[keyof C]
type ValueOf<C> = C extends Column<infer T> ? T : never

/** A row of a table with these columns. */
export type RowOf<C extends Columns> = {
  -readonly [K in Exclude<keyof C, OptionalNames<C>>]: ValueOf<C[K]>
} & {
  -readonly [K in OptionalNames<C>]?: ValueOf<C[K]>
}

export const text = <T extends string = string>(): Column<T> => ({ options: { type: DataTypes.TEXT } })
export const integer = (): Column<number> => ({ options: { type: DataTypes.INTEGER } })
export const bigint = (): Column<number> => ({ options: { type: DataTypes.BIGINT } })
export const boolean = (): Column<boolean> => ({ options: { type: DataTypes.BOOLEAN } })

/** Part of the primary key. */
export const key = <T>({ options }: Column<T>): Column<T> => ({ options: { ...options, primaryKey: true } })
export const orNull = <T>({ options }: Column<T>): Column<T | null> => ({ options })
/** The repository fills it in. */
export const optional = <T>({ options }: Column<T>): Column<T | undefined> => ({ options })
