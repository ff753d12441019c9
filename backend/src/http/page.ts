import type { FastifyRequest } from 'fastify'
import { DEFAULT_PAGE_SIZE, type PageQuery, type Rows } from '../db/page-window.ts'

/** Size limit of a list's answer. A page with large rows is shortened (to one row at least), and `next` continues it. */
const MAX_PAGE_BYTES = 1_024 * 1_024

/** Rows of one page. */
export interface PageOutcome<T> extends Rows<T> {
  /** Parameters to add to the URLs of the next and the previous page. */
  kept?: Record<string, string>
  /** The cached JSON of a row, if there is one. */
  jsonOf?: (row: T) => string
}

/**
 * The answer of a list: `{count, next, previous, results}`, with absolute URLs.
 * @returns the answer, or its JSON if the JSON of the rows is cached
 */
export function pageAnswer<T>(
  request: FastifyRequest,
  { count, rows, kept = {}, jsonOf }: PageOutcome<T>,
): object | string {
  const query = request.query as PageQuery
  const { page = 1, pageSize = DEFAULT_PAGE_SIZE, skip = 0 } = query
  const lastPage = Math.max(1, Math.ceil(count / pageSize))
  const results = rows.slice(0, countFitting(rows, jsonOf ?? JSON.stringify))
  const addressOf = (number: number, skipped = 0) => neighbourOf(request, kept, number, skipped)
  const following = () => (page < lastPage ? addressOf(page + 1) : null)
  const preceding = () => (page > 1 ? addressOf(Math.min(page - 1, lastPage)) : null)
  const next = results.length < rows.length ? addressOf(page, skip + results.length) : following()
  const previous = skip > 0 ? addressOf(page) : preceding()
  if (!jsonOf) return { count, next, previous, results }
  return `${JSON.stringify({ count, next, previous }).slice(0, -1)},"results":[${results.map(jsonOf).join()}]}`
}

function neighbourOf(
  request: FastifyRequest,
  kept: Record<string, string>,
  page: number,
  skipped: number,
): string {
  // HTTP/1.0 clients may send no Host header. They get relative URLs.
  const origin = request.host ? `${request.protocol}://${request.host}` : ''
  const [path = '', search = ''] = request.url.split('?')
  const params = new URLSearchParams(search)
  for (const [name, value] of Object.entries(kept)) params.set(name, value)
  params.set('page', String(page))
  params.delete('skip')
  if (skipped > 0) params.set('skip', String(skipped))
  return `${origin}${path}?${params.toString()}`
}

/** How many rows fit into the size limit; at least one. A character of a string has three bytes at most in UTF-8. */
function countFitting<T>(rows: readonly T[], jsonOf: (row: T) => string): number {
  let mostBytes = 0
  for (const row of rows) mostBytes += 3 * jsonOf(row).length
  if (mostBytes <= MAX_PAGE_BYTES) return rows.length
  let bytes = 0
  const last = rows.findIndex((row) => (bytes += Buffer.byteLength(jsonOf(row))) > MAX_PAGE_BYTES)
  return last < 0 ? rows.length : Math.max(1, last)
}
