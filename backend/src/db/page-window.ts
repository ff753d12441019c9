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
 * Translates `page`, `pageSize`, `skip` and `ordering`.
 * @param columns what may be ordered by: field name -> column attribute
 * @throws AppError `invalid-query` when the list cannot be ordered by that field, or more is skipped than a page holds
 */
export function windowOf(query: PageQuery, columns: Record<string, string>): PageWindow {
  const { page = 1, pageSize = DEFAULT_PAGE_SIZE, skip = 0, ordering = '' } = query
  if (skip >= pageSize) throw new AppError('invalid-query', { errors: [notToSkip(pageSize)] })
  const field = ordering.replace(/^-/, '')
  const column = Object.hasOwn(columns, field) ? columns[field] : undefined
  if (field !== '' && column === undefined)
    throw new AppError('invalid-query', { errors: [notOrderable(columns)] })
  return {
    limit: pageSize - skip,
    offset: (page - 1) * pageSize + skip,
    ...(column ? { order: [column, ordering.startsWith('-') ? 'DESC NULLS LAST' : 'ASC NULLS LAST'] } : {}),
  }
}

/** The same for rows in memory. */
export function selectionOf(query: PageQuery, fields: Record<string, unknown>): Selection {
  const names = Object.fromEntries(Object.keys(fields).map((name) => [name, name]))
  const { limit, offset, order } = windowOf(query, names)
  if (!order) return { limit, offset }
  return { limit, offset, order: { field: order[0], isDescending: order[1].startsWith('DESC') } }
}

function notOrderable(columns: Record<string, string>): FieldError {
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
