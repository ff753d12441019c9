import type { Selection } from '../domain/selection.ts'
import { AppError, type FieldError } from '../errors.ts'

export const DEFAULT_PAGE_SIZE = 25

export interface PageQuery {
  page?: number
  pageSize?: number
  ordering?: string
  search?: string
  /** Rows of the page that came before. */
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

/** What a repository needs to read one page. */
export interface PageWindow {
  limit: number
  offset: number
  /** Column and direction, what is absent last in either, on any engine; undefined for the list's own order. */
  order?: [string, 'ASC NULLS LAST' | 'DESC NULLS LAST']
}

/**
 * Translates `page`, `pageSize`, `skip` and `ordering` for rows in memory.
 * @param fields what may be ordered by, by name
 * @throws AppError `invalid-query` when the list cannot be ordered by that field, or more is skipped than a page holds
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

/** What of a query says which rows are wanted, and not which of their pages. */
export function filterOf<Q extends PageQuery>(query: Q) {
  const { page: _page, pageSize: _size, ordering: _order, skip: _skip, ...filter } = query
  return filter
}
