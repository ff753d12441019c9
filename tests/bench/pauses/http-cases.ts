import type { RunningServer } from '../../support/server.ts'
import { signIn } from '../../support/api.ts'
import { largestBodies, type Schema } from './bodies.ts'
import type { PauseCase } from './case.ts'
import { largePhotos } from './photos.ts'

interface Operation {
  parameters?: { name: string; in: string; schema?: Schema }[]
  requestBody?: { 'x-max-bytes'?: number; content: Record<string, { schema?: Schema; example?: unknown }> }
}
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

/** The longest query string: Node accepts 16 KiB of headers. */
const QUERY_BYTES = 14_000
const TEXT = 'application/json'

/** The largest permitted requests to every route of the OpenAPI document, so that new routes are measured too. */
export async function httpCases(server: RunningServer): Promise<PauseCase[]> {
  const api = await signIn(server)
  const document = await api.get<Document>('/api/openapi.json')
  const call = caller(server.url, api.token)
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) =>
      casesOf(document, method.toUpperCase(), path, operation).map(
        ({ what, query = '', body, type }): PauseCase => ({
          what: `${method.toUpperCase()} ${path} ${what}`.trimEnd(),
          send: () =>
            call(method.toUpperCase(), filledPath(method.toUpperCase(), path, operation) + query, body, type),
        }),
      ),
    ),
  )
}

interface Sent {
  what: string
  query?: string
  body?: string | Buffer
  type?: string
}

function casesOf(document: Document, method: string, path: string, operation: Operation): Sent[] {
  const { requestBody, parameters = [] } = operation
  const queries = queriesOf(parameters.filter((one) => one.in === 'query'))
  const json = requestBody?.content[TEXT]
  if (requestBody && !json) return largePhotos().map(({ what, body }) => ({ what, body, type: 'image/jpeg' }))
  if (method === 'GET') return queries
  if (!json?.schema) return [{ what: '' }, ...queries.slice(1)]
  const limit = requestBody?.['x-max-bytes']
  if (limit === undefined) throw new Error(`${method} ${path} has no x-max-bytes`)
  const bodies = largestBodies(resolved(document, json.schema), json.example ?? {}, limit)
  const sent = Object.entries(bodies).map(([what, body]) => ({ what, body, type: TEXT }))
  return [{ what: 'as in its example', body: JSON.stringify(json.example ?? {}), type: TEXT }, ...sent]
}

function queriesOf(parameters: NonNullable<Operation['parameters']>): Sent[] {
  const names = parameters.map(({ name }) => name)
  const many = Array.from({ length: QUERY_BYTES / 7 }, (_, i) => `x${i}=1`)
    .join('&')
    .slice(0, QUERY_BYTES)
  const sent: Sent[] = [{ what: '' }, { what: 'with many parameters', query: `?${many}` }]
  const percent = '%C3%A9'.repeat(QUERY_BYTES / 6)
  sent.push({ what: 'with one long parameter', query: `?${names[0] ?? 'x'}=${percent}` })
  for (const { name, schema } of parameters)
    for (const value of schema?.enum ?? [])
      sent.push({ what: `with ${name}=${String(value)}`, query: `?${name}=${String(value)}` })
  if (!names.includes('pageSize')) return sent
  for (const ordering of ['', '&ordering=id', '&ordering=-id'])
    sent.push({ what: `200 rows${ordering}`, query: `?pageSize=200${ordering}` })
  sent.push({ what: 'the last page', query: '?pageSize=200&page=100' })
  if (names.includes('search'))
    for (const search of ['x'.repeat(200), 'é'.repeat(200), '%25_'.repeat(50), 'a b '.repeat(50), 'x', 'ne'])
      sent.push({
        what: `search for ${search.slice(0, 8)} (${search.length})`,
        query: `?pageSize=200&search=${encodeURIComponent(search)}`,
      })
  return sent
}

function resolved(document: Document, schema: Schema): Schema {
  if (schema.$ref !== undefined) {
    const named = document.components.schemas[schema.$ref.split('/').at(-1) ?? '']
    if (!named) throw new Error(`${schema.$ref} is not defined`)
    return resolved(document, named)
  }
  const { properties, items } = schema
  return {
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, field]) => [name, resolved(document, field)]),
      ),
    }),
    ...(items && { items: resolved(document, items) }),
  }
}

let next = 0

/**
 * The path with the id of an existing row. GET uses the row with most data; other methods use another row each time,
 * because some of them delete it.
 */
function filledPath(method: string, path: string, { parameters = [] }: Operation): string {
  next = method === 'GET' ? 1 : next + 1
  const known: Record<string, string> = {
    utilisateurs: `user-${next % 5_000}`,
    postes: `pc-${next % 1_000}`,
    sessions: `session-${next % 500}`,
    logs: '1',
  }
  const kind = path.split('/')[2] ?? ''
  return path.replace(/\{(\w+)\}/g, (_all, name: string) => {
    const choices = parameters.find((one) => one.name === name)?.schema?.enum
    return choices ? String(choices[next % choices.length]) : (known[kind] ?? 'unknown')
  })
}

function caller(url: string, token: string) {
  return async (method: string, path: string, body?: string | Buffer, type?: string): Promise<string> => {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(type === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
      signal: AbortSignal.timeout(60_000),
    })
    const bytes = (await answer.arrayBuffer()).byteLength
    return `${answer.status}, ${Math.ceil(bytes / 1_024)} KiB`
  }
}
