import { STATUS_CODES } from 'node:http'
import * as protocol from '@escale/protocol'
import { errorTable, errorTitle, operatorRoles, type ErrorCode } from '@escale/protocol'
import { examples } from '@escale/protocol/examples'
import type { FastifyContextConfig, RouteOptions } from 'fastify'

declare module 'fastify' {
  interface FastifySchema {
    /** What this route refuses beyond what its access, body, query and path say by themselves. */
    errors?: readonly ErrorCode[]
    /** The answer carries the version of the resource, in `ETag`. */
    sendsVersion?: boolean
    /** `If-Match` is heeded. */
    takesVersion?: boolean
  }
}

type Json = Record<string, unknown>
/** A response as a route declares it: a schema, or one schema per media type. */
type DeclaredResponse = Json & { content?: Record<string, { schema: Json }> }

export interface Operation extends Json {
  operationId: string
  parameters?: Json[]
  requestBody?: { required: boolean; content: Record<string, Json>; 'x-max-bytes'?: number }
  responses: Record<string, { description: string; headers?: Json; content?: Record<string, Json> }>
  security: Record<string, string[]>[]
}

const PROBLEM = 'application/problem+json'
const schemaPath = (name: string) => `#/components/schemas/${name}`
const headerRef = (name: string) => ({ $ref: `#/components/headers/${name}` })

/** Schemas that have a name in the protocol, found again by what they say. */
const nameBySchema = new Map(
  Object.entries(protocol)
    .filter(([, value]) => isObjectSchema(value))
    .map(([name, value]) => [JSON.stringify(value), name] as const)
    .reverse(),
)

function isObjectSchema(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'object'
}

/** The shared schemas of a document, filled as operations refer to them. */
export function createSchemas() {
  const components: Record<string, Json> = {}

  /** A schema with each part that has a name of its own replaced by a reference to it. */
  function refer(schema: object): Json {
    const name = nameBySchema.get(JSON.stringify(schema))
    if (name === undefined) return partsOf(schema)
    components[name] ??= partsOf(schema)
    return { $ref: schemaPath(name) }
  }
  const partsOf = (schema: object): Json =>
    Object.fromEntries(Object.entries(schema).map(([keyword, value]) => [keyword, partOf(keyword, value)]))
  function partOf(keyword: string, value: unknown): unknown {
    if (keyword === 'properties')
      return Object.fromEntries(Object.entries(value as Json).map(([name, s]) => [name, refer(s as object)]))
    if (keyword === 'items') return refer(value as object)
    if (keyword === 'anyOf') return (value as object[]).map(refer)
    return value
  }
  return { components, refer }
}

export type Schemas = ReturnType<typeof createSchemas>

/** A worked example of what a schema describes; undefined where there is none. */
export function exampleOf(schema: Json): unknown {
  const name = nameBySchema.get(JSON.stringify(schema))
  if (name !== undefined && Object.hasOwn(examples, name)) return examples[name as keyof typeof examples]
  const properties = (schema['properties'] ?? {}) as Record<string, Json>
  if (properties['results']) {
    const item = exampleOf(properties['results']['items'] as Json)
    return item === undefined ? undefined : { count: 1, next: null, previous: null, results: [item] }
  }
  return isObjectSchema(schema) && Object.keys(properties).length === 0 ? {} : undefined
}

/** `POST /api/sessions/:id/add_time` -> `postSessionsByIdAddTime`. */
export function operationIdOf(method: string, url: string): string {
  const words = url
    .replace(/^\/api\//, '/')
    .split(/[/_.-]/)
    .filter(Boolean)
    .map((word) => (word.startsWith(':') ? `by${capital(word.slice(1))}` : word))
  return method.toLowerCase() + words.map(capital).join('')
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

/** Who may call: operators and automations by their roles, a station by its own credentials. */
export function securityOf({ access = 'admin', ...open }: FastifyContextConfig): Operation['security'] {
  const station = open.isOpenToStations ? [{ station: [] }] : []
  if (access === 'public') return open.isOpenToStations ? [{}, ...station] : []
  // Roles are listed with the highest first.
  const roles = operatorRoles.slice(0, operatorRoles.indexOf(access) + 1)
  const accounts = [...(open.isOpenToAccounts ? roles : []), ...(open.isOpenToNetboot ? ['netboot'] : [])]
  return [{ bearer: roles }, ...station, ...(accounts.length > 0 ? [{ account: accounts }] : [])]
}

/** Every code that the route can answer with, by what it declares. */
export function errorsOf({ method, url, schema = {}, config }: RouteOptions): ErrorCode[] {
  const isPublic = config?.access === 'public'
  const takesBody = method !== 'GET'
  const codes: (ErrorCode | false)[] = [
    'invalid-query',
    takesBody && 'malformed-json',
    takesBody && 'body-too-large',
    takesBody && 'unsupported-media-type',
    takesBody && 'invalid-body',
    takesBody && schema.body !== undefined && 'unknown-field',
    !isPublic && 'unauthenticated',
    !isPublic && 'forbidden',
    (!isPublic || config.isOpenToStations === true) && 'wrong-address',
    url.includes('/:') && 'not-found',
    schema.takesVersion === true && 'version-conflict',
    'internal',
    'unavailable',
    'storage-unavailable',
  ]
  const derived = codes.filter((code) => code !== false)
  return [...new Set([...derived, ...(schema.errors ?? [])])]
}

/** Completes what Fastify's schemas say of an operation with what the route's access and metadata say. */
export function describeOperation(operation: object, route: RouteOptions, schemas: Schemas): Operation {
  const { schema = {}, config } = route
  const method = String(route.method)
  const { requestBody: _body, responses: _responses, parameters = [], ...rest } = operation as Json
  const bodies = bodyOf(route, schemas)
  const ifMatch = schema.takesVersion === true ? [{ $ref: '#/components/parameters/IfMatch' }] : []
  return {
    ...rest,
    operationId: operationIdOf(method, route.url),
    parameters: [...(parameters as Json[]), ...ifMatch],
    ...(bodies ? { requestBody: bodies } : {}),
    responses: { ...successesOf(route, schemas), ...failuresOf(errorsOf(route), schemas) },
    security: securityOf(config ?? {}),
  }
}

function bodyOf({ schema = {}, bodyLimit }: RouteOptions, schemas: Schemas): Operation['requestBody'] {
  const declared = schema.body as Json | undefined
  if (declared === undefined) {
    if (!schema.consumes) return undefined
    const content = Object.fromEntries(schema.consumes.map((type) => [type, {}]))
    return { required: true, content, 'x-max-bytes': bodyLimit }
  }
  // An action may be called without a body, which then reads `{}`.
  const required = ((declared['required'] ?? []) as string[]).length > 0
  return { required, content: { 'application/json': mediaOf(declared, schemas) }, 'x-max-bytes': bodyLimit }
}

function mediaOf(schema: Json, { refer }: Schemas): Json {
  const example = exampleOf(schema)
  return { schema: refer(schema), ...(example === undefined ? {} : { example }) }
}

function successesOf({ schema = {} }: RouteOptions, schemas: Schemas): Operation['responses'] {
  const declared = (schema.response ?? {}) as Record<string, DeclaredResponse>
  return Object.fromEntries(
    Object.entries(declared).map(([status, response]) => {
      const { type, content } = response
      const media = content
        ? Object.fromEntries(Object.entries(content).map(([name, c]) => [name, mediaOf(c.schema, schemas)]))
        : { 'application/json': mediaOf(response, schemas) }
      const answer = {
        description: STATUS_CODES[status] ?? status,
        ...(schema.sendsVersion === true ? { headers: { ETag: headerRef('ETag') } } : {}),
        ...(type === 'null' ? {} : { content: media }),
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

/** What each code looks like, in the language of those who ask for none. */
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
