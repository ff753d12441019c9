import type { Selection } from '../domain/selection.ts'
import { AppError, type FieldError } from '../errors.ts'

export const DEFAULT_PAGE_SIZE = 25

export interface PageQuery {
  page?: number
  pageSize?: number
  ordering?: string
  search?: string
  /** Number of rows of the previous pages. */
  skip?: number
}

/** One page of rows, as repositories return it. */
export interface Rows<T> {
  count: number
  rows: T[]
}

/** The same page with each row as `show` presents it. */
export const shown = <Row, Item>({ count, rows }: Rows<Row>, show: (row: Row) => Item): Rows<Item> => ({
  count,
  rows: rows.map(show),
})

/** The query for one page. */
export interface PageWindow {
  limit: number
  offset: number
  /** Column and direction, absent values last in both; undefined for the default order. */
  order?: [string, 'ASC NULLS LAST' | 'DESC NULLS LAST']
}

/**
 * Translates `page`, `pageSize`, `skip` and `ordering` for rows in memory.
 * @param fields the fields that may be sorted by
 * @throws AppError `invalid-query` if the field is unknown, or `skip` is not below the page size
 */
export function selectionOf(query: PageQuery, fields: Record<string, unknown>): Selection {
  const { page = 1, pageSize = DEFAULT_PAGE_SIZE, skip = 0, ordering = '' } = query
  if (skip >= pageSize) throw new AppError('invalid-query', { errors: [notToSkip(pageSize)] })
  const window = { limit: pageSize - skip, offset: (page - 1) * pageSize + skip }
  const isDescending = ordering.startsWith('-')
  const field = isDescending ? ordering.slice(1) : ordering
  if (field === '') return window
  if (!Object.hasOwn(fields, field)) throw new AppError('invalid-query', { errors: [notOrderable(fields)] })
  return { ...window, order: { field, isDescending } }
}

/** The same for a table. @param columns field name -> column attribute */
export function windowOf(query: PageQuery, columns: Record<string, string>): PageWindow {
  const { order, ...window } = selectionOf(query, columns)
  const column = order && columns[order.field]
  if (!column) return window
  return { ...window, order: [column, order.isDescending ? 'DESC NULLS LAST' : 'ASC NULLS LAST'] }
}

function notOrderable(columns: Record<string, unknown>): FieldError {
  const names = Object.keys(columns).join(', ')
  const message = { fr: `Valeurs possibles\u00a0: ${names}.`, en: `Possible values: ${names}.` }
  return { pointer: '/ordering', message }
}

function notToSkip(pageSize: number): FieldError {
  const message = {
    fr: `Moins de ${pageSize}, la taille de la page.`,
    en: `Less than ${pageSize}, the page’s size.`,
  }
  return { pointer: '/skip', message }
}

/** The part of a query that selects rows, without the page. */
export function filterOf<Q extends PageQuery>(query: Q) {
  const { page: _page, pageSize: _size, ordering: _order, skip: _skip, ...filter } = query
  return filter
}
