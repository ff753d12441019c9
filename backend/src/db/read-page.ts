import type { FindOptions } from 'sequelize'
import type { Table } from './models.ts'

/** Reads one page of a table. A second statement counts the rows only if the page does not show their number. */
export async function readPage<Row extends object>(
  table: Table<Row>,
  query: FindOptions<Row> & { limit: number; offset: number },
) {
  const { where, limit, offset, transaction } = query
  const rows = await table.findAll(query)
  const isLastPage = rows.length < limit && (rows.length > 0 || offset === 0)
  const count = isLastPage ? offset + rows.length : await table.count({ where, transaction })
  return { count, rows }
}
