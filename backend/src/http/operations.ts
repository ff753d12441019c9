import { STATUS_CODES } from 'node:http'
import * as protocol from '@escale/protocol'
import {
  contentsOf,
  errorTable,
  errorTitle,
  operatorRoles,
  type Endpoint,
  type ErrorCode,
} from '@escale/protocol'
import { examples } from '@escale/protocol/examples'
import type { TSchema } from 'typebox'
import { bodyLimitOf } from './bodies.ts'

type Json = Record<string, unknown>

export interface Operation extends Json {
  operationId: string
  parameters: Json[]
  requestBody?: { required: boolean; content: Record<string, Json>; 'x-max-bytes': number }
  responses: Record<string, { description: string; headers?: Json; content?: Record<string, Json> }>
  security: Record<string, string[]>[]
}

const PROBLEM = 'application/problem+json'
const headerRef = (name: string) => ({ $ref: `#/components/headers/${name}` })

/** Identifies an object schema. An optional copy of a schema shares the same fields object. */
const fieldsOf = (schema: Json) => schema['properties'] ?? schema['patternProperties']

/** Names of the protocol's schemas. */
const nameByFields = new Map(
  Object.entries<unknown>({ ...protocol })
    .flatMap(([name, value]) => (isObjectSchema(value) ? [[fieldsOf(value), name] as const] : []))
    .reverse(),
)

/** The protocol's name of a schema. A page is named after its items. */
function nameOf(schema: Json): string | undefined {
  const { results } = (schema['properties'] ?? {}) as Record<string, Json>
  if (results) return `${nameOf(results['items'] as Json) ?? ''}Page`
  return isObjectSchema(schema) ? nameByFields.get(fieldsOf(schema)) : undefined
}

function isObjectSchema(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'object'
}

/** The shared schemas of the document. A schema is added when an operation refers to it. */
export function createSchemas() {
  const components: Record<string, Json> = {}

  /** The schema, with each named part replaced by a reference. */
  function refer(schema: Json): Json {
    const name = nameOf(schema)
    if (name === undefined) return partsOf(schema)
    components[name] ??= partsOf(schema)
    return { $ref: `#/components/schemas/${name}` }
  }
  const partsOf = (schema: Json): Json =>
    Object.fromEntries(
      Object.entries(schema)
        // TypeBox adds its own keys, which begin with `~`.
        .filter(([keyword]) => !keyword.startsWith('~'))
        .map(([keyword, value]) => [keyword, partOf(keyword, value)]),
    )
  function partOf(keyword: string, value: unknown): unknown {
    if (keyword === 'properties')
      return Object.fromEntries(
        Object.entries(value as Json).map(([name, part]) => [name, refer(part as Json)]),
      )
    if (keyword === 'items') return refer(value as Json)
    if (keyword === 'anyOf') return (value as Json[]).map(refer)
    return value
  }
  return { components, refer: (schema: object) => refer(schema as Json) }
}

export type Schemas = ReturnType<typeof createSchemas>

/** An example for a schema; undefined if there is none. */
function exampleOf(schema: Json): unknown {
  const name = nameOf(schema)
  if (name !== undefined && Object.hasOwn(examples, name)) return examples[name as keyof typeof examples]
  const properties = (schema['properties'] ?? {}) as Record<string, Json>
  if (properties['results']) {
    const item = exampleOf(properties['results']['items'] as Json)
    return item === undefined ? undefined : { count: 1, next: null, previous: null, results: [item] }
  }
  return isObjectSchema(schema) && Object.keys(properties).length === 0 ? {} : undefined
}

/** `POST /api/sessions/{id}/add_time/` -> `postSessionsByIdAddTime`. */
export function operationIdOf({ method, path }: Pick<Endpoint, 'method' | 'path'>): string {
  const words = path
    .replace(/^\/api\//, '/')
    .split(/[/_.-]/)
    .filter(Boolean)
    .map((word) => (word.startsWith('{') ? `by${capital(word.slice(1, -1))}` : word))
  return method.toLowerCase() + words.map(capital).join('')
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

/** The part of the API that a path belongs to. */
export function tagOf(path: string): string {
  const part = /^\/api\/(\w+)\//.exec(path)?.[1]
  return part === 'token' ? 'auth' : (part ?? 'service')
}

/** The credentials that an endpoint accepts. */
export function securityOf({ access, guests = [] }: Endpoint): Operation['security'] {
  const station = guests.includes('stations') ? [{ station: [] }] : []
  if (access === 'public') return station.length > 0 ? [{}, ...station] : []
  // The highest role comes first.
  const roles = operatorRoles.slice(0, operatorRoles.indexOf(access) + 1)
  const netboot = guests.includes('netboot') ? [{ account: ['netboot'] }] : []
  return [{ bearer: roles }, ...station, ...netboot]
}

/** All error codes that the endpoint can answer. */
export function errorsOf(endpoint: Endpoint): ErrorCode[] {
  const { method, path, access, guests = [], body, takesVersion, errors = [] } = endpoint
  const isPublic = access === 'public'
  const takesBody = method !== 'GET'
  const codes: (ErrorCode | false)[] = [
    'invalid-query',
    takesBody && 'malformed-json',
    takesBody && 'body-too-large',
    takesBody && 'unsupported-media-type',
    takesBody && 'invalid-body',
    takesBody && body !== undefined && 'unknown-field',
    !isPublic && 'unauthenticated',
    !isPublic && 'forbidden',
    (!isPublic || guests.includes('stations')) && 'wrong-address',
    path.includes('{') && 'not-found',
    takesVersion === true && 'version-conflict',
    'internal',
    'unavailable',
    'storage-unavailable',
  ]
  return [...new Set([...codes.filter((code) => code !== false), ...errors])]
}

/** An endpoint as OpenAPI describes it. */
export function operationOf(endpoint: Endpoint, schemas: Schemas): Operation {
  const { path, summary, params, query, takesVersion } = endpoint
  const requestBody = bodyOf(endpoint, schemas)
  return {
    summary,
    tags: [tagOf(path)],
    operationId: operationIdOf(endpoint),
    parameters: [
      ...parametersOf('path', params, schemas),
      ...parametersOf('query', query, schemas),
      ...(takesVersion === true ? [{ $ref: '#/components/parameters/IfMatch' }] : []),
    ],
    ...(requestBody && { requestBody }),
    responses: { ...successesOf(endpoint, schemas), ...failuresOf(errorsOf(endpoint), schemas) },
    security: securityOf(endpoint),
  }
}

function parametersOf(place: 'path' | 'query', of: TSchema | undefined, { refer }: Schemas): Json[] {
  const { properties = {}, required = [] } = (of ?? {}) as { properties?: Json; required?: string[] }
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: refer(schema as object),
  }))
}

function bodyOf(endpoint: Endpoint, schemas: Schemas): Operation['requestBody'] {
  const { body, consumes } = endpoint
  const limit = { 'x-max-bytes': bodyLimitOf(endpoint) }
  if (consumes)
    return { required: true, content: Object.fromEntries(consumes.map((type) => [type, {}])), ...limit }
  if (!body) return undefined
  // An action may be called without a body, which means `{}`.
  const required = 'required' in body && (body.required as string[]).length > 0
  return { required, content: { 'application/json': mediaOf(body, schemas) }, ...limit }
}

function mediaOf(schema: object, { refer }: Schemas): Json {
  const example = exampleOf(schema as Json)
  return { schema: refer(schema), ...(example === undefined ? {} : { example }) }
}

function successesOf(endpoint: Endpoint, schemas: Schemas): Operation['responses'] {
  return Object.fromEntries(
    Object.entries(contentsOf(endpoint)).map(([status, contents]) => {
      const content = Object.entries(contents).map(([type, schema]) => [type, mediaOf(schema, schemas)])
      const answer = {
        description: STATUS_CODES[status] ?? status,
        ...(endpoint.sendsVersion === true && { headers: { ETag: headerRef('ETag') } }),
        ...(content.length > 0 && { content: Object.fromEntries(content) as Record<string, Json> }),
      }
      return [status, answer]
    }),
  )
}

function failuresOf(codes: ErrorCode[], { refer }: Schemas): Operation['responses'] {
  const byStatus = Map.groupBy(codes, (code) => errorTable[code].status)
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, some]) => {
        const description = `${STATUS_CODES[status] ?? status}: ${some.map((code) => `\`${code}\``).join(', ')}`
        const headers = headersOf(status)
        return [
          status,
          {
            description,
            ...(headers ? { headers } : {}),
            content: { [PROBLEM]: { schema: refer(protocol.Problem), examples: exampleRefs(some) } },
          },
        ]
      }),
  )
}

function headersOf(status: number): Json | undefined {
  if (status === 401) return { 'WWW-Authenticate': headerRef('WWW-Authenticate') }
  return status === 429 || status === 503 ? { 'Retry-After': headerRef('Retry-After') } : undefined
}

export const exampleRefs = (codes: readonly ErrorCode[]): Json =>
  Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]))

/** An example problem for each code, in the default language. */
export function problemExamples(): Json {
  const codes = Object.keys(errorTable) as ErrorCode[]
  return Object.fromEntries(
    codes.map((code) => {
      const title = errorTitle(code, 'fr')
      const { status } = errorTable[code]
      const type = `urn:escale:error:${code}`
      const value = { type, title, status, detail: title, instance: '/api/…', code }
      return [code, { summary: errorTitle(code, 'en'), value }]
    }),
  )
}
