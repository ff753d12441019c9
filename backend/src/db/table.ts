import { DataTypes, Op, type OrderItem, type WhereOptions } from 'sequelize'
import { AppError } from '../errors.ts'
import type { Tables } from './database.ts'
import type { Models, Table } from './models.ts'
import { filterOf, windowOf, type PageQuery, type Rows } from './page-window.ts'
import { readPage } from './read-page.ts'
import { requireVersion, type SeenVersions } from './versions.ts'
import { equalTo } from './where.ts'

/** How many rows are read at once where all are read. */
const BATCH = 1_000

type RowIn<Name extends keyof Models> = Models[Name] extends Table<infer Row> ? Row : never

/** How a list is searched and ordered. Other fields of the query must equal their column. */
export interface ListRules<Row> {
  /** Fields that callers may sort by; their column may end in `Ms`. */
  orderable: readonly string[]
  /** Fields that are sorted by another column. */
  orderedAs?: Readonly<Record<string, keyof Row & string>>
  /** Columns in which `search` looks. */
  searched?: readonly (keyof Row & string)[]
  /** Other conditions. */
  where?: readonly WhereOptions<Row>[]
  /** The default order, also used between equal rows. */
  order: readonly OrderItem[]
}

/** Common operations of repositories. Each statement is part of the current transaction. */
export function openTable<Name extends keyof Models>({ models, scope, containing }: Tables, name: Name) {
  type Row = RowIn<Name>
  const model = models[name] as unknown as Table<Row>
  const columns: Record<string, { type: unknown }> = model.getAttributes()
  const booleans = Object.keys(columns).filter((name) => columns[name]?.type instanceof DataTypes.BOOLEAN)

  /** A row as the engine returns it. SQLite has no booleans of its own. */
  function rowOf(raw: object): Row {
    const values = raw as Record<string, unknown>
    for (const column of booleans) values[column] = Boolean(values[column])
    return raw as Row
  }
  // Building Sequelize's rows takes longer than the query.
  const raw = () => ({ raw: true, ...scope() })

  async function findOne(where: WhereOptions<Row>): Promise<Row | undefined> {
    const row = await model.findOne({ where, ...raw() })
    return row ? rowOf(row) : undefined
  }
  const byKey = (key: string | number) => ({ [model.primaryKeyAttribute]: key }) as WhereOptions<Row>
  const find = (key: string | number) => findOne(byKey(key))

  return {
    find,
    findOne,
    /** @throws AppError `not-found`, or `version-conflict` if the caller has seen only other versions */
    async get(key: string | number, seen?: SeenVersions): Promise<Row> {
      const row = await find(key)
      if (!row) throw new AppError('not-found')
      if (seen !== undefined) requireVersion(row as Row & { version: number }, seen)
      return row
    },
    async findAll(where: WhereOptions<Row> = {}, order: OrderItem[] = []): Promise<Row[]> {
      return (await model.findAll({ where, order, ...raw() })).map(rowOf)
    },
    /** The rows in the order of their key, read in batches. */
    async *each(where: WhereOptions<Row> = {}): AsyncGenerator<Row> {
      const key = model.primaryKeyAttribute as keyof Row & string
      for (let after: object = {}; ;) {
        const page = { where: { [Op.and]: [where, after] }, order: [key], limit: BATCH }
        const rows = (await model.findAll({ ...page, ...raw() })).map(rowOf)
        yield* rows
        const last = rows.at(-1)
        if (!last || rows.length < BATCH) return
        after = { [key]: { [Op.gt]: last[key] } }
      }
    },
    count: (where: WhereOptions<Row> = {}): Promise<number> => model.count({ where, ...scope() }),
    async insert(row: Row): Promise<void> {
      await model.create(row as never, scope())
    },
    /** Inserts a row, or replaces the one with the same key. */
    async save(row: Row): Promise<void> {
      await model.upsert(row as never, scope())
    },
    async update(row: Row): Promise<void> {
      const keys = model.primaryKeyAttributes.map((key) => [key, row[key as keyof Row]])
      await model.update(row, { where: Object.fromEntries(keys) as WhereOptions<Row>, ...scope() })
    },
    async remove(key: string | number): Promise<void> {
      await model.destroy({ where: byKey(key), ...scope() })
    },
    removeAll: (where: WhereOptions<Row>): Promise<number> => model.destroy({ where, ...scope() }),
    /** One page of the rows that a query asks for. */
    async page(query: PageQuery, rules: ListRules<Row>): Promise<Rows<Row>> {
      const { orderable, orderedAs = {}, searched = [], where = [] } = rules
      const columnOf = (field: string) => orderedAs[field] ?? (field in columns ? field : `${field}Ms`)
      const { search, ...equal } = filterOf(query)
      const { order, ...window } = windowOf(
        query,
        Object.fromEntries(orderable.map((field) => [field, columnOf(field)])),
      )
      const { count, rows } = await readPage(model, {
        where: {
          [Op.and]: [equalTo<Row>(equal), ...where, ...(search ? [containing<Row>(searched, search)] : [])],
        },
        order: [...(order ? [order] : []), ...rules.order],
        ...window,
        ...raw(),
      })
      return { count, rows: rows.map(rowOf) }
    },
  }
}
