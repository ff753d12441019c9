import type { FastifyRequest } from 'fastify'
import { DEFAULT_PAGE_SIZE, filterOf, type PageQuery, type Rows } from '../db/page-window.ts'

/** No answer of a list is longer, but for a single row: a page of larger rows is shortened, and `next` goes on. */
const MAX_PAGE_BYTES = 1_024 * 1_024
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

/** Answers a list by the query of its request. */
export async function listAnswer<Q extends PageQuery, T>(
  request: FastifyRequest & { query: Q },
  list: (filter: ReturnType<typeof filterOf<Q>>, query: Q) => Promise<Rows<T>>,
) {
  const rows = await list(filterOf(request.query), request.query)
  return pageAnswer(request, request.query, rows, (row) => row)
}
