import type { FastifyRequest } from 'fastify'
import { AppError, type FieldError } from '../errors.ts'

export interface PageQuery {
  page?: number
  pageSize?: number
  ordering?: string
  search?: string
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
 * Translates `page`, `pageSize` and `ordering`.
 * @param columns what may be ordered by: field name -> column attribute
 * @throws AppError `invalid-query` when the list cannot be ordered by that field
 */
export function windowOf(query: PageQuery, columns: Record<string, string>): PageWindow {
  const limit = query.pageSize ?? 25
  const ordering = query.ordering ?? ''
  const field = ordering.replace(/^-/, '')
  const column = Object.hasOwn(columns, field) ? columns[field] : undefined
  if (field !== '' && column === undefined)
    throw new AppError('invalid-query', { errors: [notOrderable(columns)] })
  return {
    limit,
    offset: ((query.page ?? 1) - 1) * limit,
    ...(column ? { order: [column, ordering.startsWith('-') ? 'DESC NULLS LAST' : 'ASC NULLS LAST'] } : {}),
  }
}

function notOrderable(columns: Record<string, string>): FieldError {
  const names = Object.keys(columns).join(', ')
  const message = { fr: `Valeurs possibles\u00a0: ${names}.`, en: `Possible values: ${names}.` }
  return { pointer: '/ordering', message }
}

const NOWHERE = 'http://localhost'

/** The answer of a list: `{count, next, previous, results}`, with absolute addresses of its neighbours. */
export function pageAnswer<T>(request: FastifyRequest, query: PageQuery, { count, rows }: Rows<T>) {
  const page = query.page ?? 1
  const lastPage = Math.max(1, Math.ceil(count / (query.pageSize ?? 25)))
  // A client of HTTP/1.0 need not say which host it calls: it gets paths.
  const origin = request.host ? `${request.protocol}://${request.host}` : ''
  const addressOf = (number: number) => {
    const url = new URL(request.url, NOWHERE)
    url.searchParams.set('page', String(number))
    return `${origin}${url.pathname}${url.search}`
  }
  return {
    count,
    next: page < lastPage ? addressOf(page + 1) : null,
    previous: page > 1 ? addressOf(Math.min(page - 1, lastPage)) : null,
    results: rows,
  }
}

/** Answers a list by the query of its request: what does not say which page is wanted is its filter. */
export async function listAnswer<Q extends PageQuery, T>(
  request: FastifyRequest & { query: Q },
  list: (filter: Omit<Q, 'page' | 'pageSize' | 'ordering'>, query: Q) => Promise<Rows<T>>,
) {
  const { page: _page, pageSize: _size, ordering: _order, ...filter } = request.query
  return pageAnswer(request, request.query, await list(filter, request.query))
}
