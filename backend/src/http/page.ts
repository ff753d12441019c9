import type { FastifyRequest } from 'fastify'
import { AppError, type FieldError } from '../errors.ts'

const DEFAULT_PAGE_SIZE = 25
/** No answer of a list is longer, but for a single row: a page of larger rows is shortened, and `next` goes on. */
const MAX_PAGE_BYTES = 1_024 * 1_024

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

const NOWHERE = 'http://localhost'

/**
 * The answer of a list: `{count, next, previous, results}`, with absolute addresses of its neighbours.
 * @param toItem what a row looks like from outside; not asked for rows that do not come along
 * @param kept parameters that the neighbours' addresses carry besides those of this one
 */
export function pageAnswer<R, T>(
  request: FastifyRequest,
  query: PageQuery,
  { count, rows }: Rows<R>,
  toItem: (row: R) => T,
  kept: Record<string, string> = {},
) {
  const { page = 1, pageSize = DEFAULT_PAGE_SIZE, skip = 0 } = query
  const lastPage = Math.max(1, Math.ceil(count / pageSize))
  const results = fitting(rows, toItem)
  // A client of HTTP/1.0 need not say which host it calls: it gets paths.
  const origin = request.host ? `${request.protocol}://${request.host}` : ''
  const addressOf = (number: number, skipped = 0) => {
    const url = new URL(request.url, NOWHERE)
    for (const [name, value] of Object.entries(kept)) url.searchParams.set(name, value)
    url.searchParams.set('page', String(number))
    url.searchParams.delete('skip')
    if (skipped > 0) url.searchParams.set('skip', String(skipped))
    return `${origin}${url.pathname}${url.search}`
  }
  const following = () => (page < lastPage ? addressOf(page + 1) : null)
  const preceding = () => (page > 1 ? addressOf(Math.min(page - 1, lastPage)) : null)
  return {
    count,
    next: results.length < rows.length ? addressOf(page, skip + results.length) : following(),
    previous: skip > 0 ? addressOf(page) : preceding(),
    results,
  }
}

/** The first items that make an answer of bounded size; one at least. */
function fitting<R, T>(rows: readonly R[], toItem: (row: R) => T): T[] {
  const items: T[] = []
  let bytes = 0
  for (const row of rows) {
    const item = toItem(row)
    bytes += Buffer.byteLength(JSON.stringify(item))
    if (items.length > 0 && bytes > MAX_PAGE_BYTES) return items
    items.push(item)
  }
  return items
}

/** What of a query says which rows are wanted, and not which of their pages. */
export function filterOf<Q extends PageQuery>(query: Q) {
  const { page: _page, pageSize: _size, ordering: _order, skip: _skip, ...filter } = query
  return filter
}

/** Answers a list by the query of its request. */
export async function listAnswer<Q extends PageQuery, T>(
  request: FastifyRequest & { query: Q },
  list: (filter: ReturnType<typeof filterOf<Q>>, query: Q) => Promise<Rows<T>>,
) {
  const rows = await list(filterOf(request.query), request.query)
  return pageAnswer(request, request.query, rows, (row) => row)
}
