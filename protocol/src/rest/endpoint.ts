import type { Static, TObject, TSchema } from 'typebox'
import { EntityId, Nothing, StationId, closed } from '../schema.ts'
import type { OperatorRole } from '../auth.ts'
import type { ErrorCode } from '../errors.ts'

/** Who may call: everybody, or an operator of at least this role. */
export type Access = 'public' | OperatorRole

/** Who may call besides operators, with credentials of their own: stations, and accounts of kind netboot. */
export type Guest = 'stations' | 'netboot'

/** One call of the REST API: server, documentation and clients are made from it. */
export interface Endpoint {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** As in the documentation, `/api/sessions/{id}/`. */
  path: string
  summary: string
  access: Access
  guests?: readonly Guest[]
  params?: TObject
  query?: TSchema
  body?: TSchema
  /** Media types of a body that is a file, which is then no JSON. */
  consumes?: readonly string[]
  /** Bytes of a body, where the usual limit does not fit. */
  maxBytes?: number
  /** So many calls may be under way at once; more are asked to come back. */
  maxUnderWay?: number
  /** Status -> body. 204 has the schema of nothing. */
  answers?: Readonly<Record<number, TSchema>>
  /** The answer is a page of a list. */
  page?: TSchema
  /** The answer is, or may be, a file: media type -> schema of its content. */
  files?: Readonly<Record<string, TSchema>>
  /** The answer carries the version of the resource, in `ETag`. */
  sendsVersion?: boolean
  /** `If-Match` is heeded. */
  takesVersion?: boolean
  /** The handler sees a body that does not fit, and refuses it itself. */
  takesFaultyBody?: boolean
  /** What it refuses beyond what access, body, query and path say by themselves. */
  errors?: readonly ErrorCode[]
}

type Described = Omit<Endpoint, 'method' | 'path' | 'summary'>

const called =
  <const M extends Endpoint['method']>(method: M) =>
  <const D extends Described>(path: string, summary: string, described: D) =>
    ({ method, path, summary, ...described }) as { method: M; path: string; summary: string } & D

/** An endpoint of that method. */
export const get = called('GET')
export const post = called('POST')
export const put = called('PUT')
export const del = called('DELETE')

export type Endpoints = Readonly<Record<string, Endpoint>>

/** Path parameters of one resource, and of one station or account, whose id is a name. */
export const byId = closed({ id: EntityId })
export const byName = closed({ id: StationId })

/** The answer carries the version, and a change may name the one that it has seen. */
export const versioned = { sendsVersion: true, takesVersion: true } as const

/** Bodies that it answers: status -> media type -> schema; none for a status without a body. */
export function contentsOf({
  page,
  answers = {},
  files = {},
}: Endpoint): Record<number, Record<string, TSchema>> {
  const json: Record<number, TSchema> = page ? { 200: page } : { ...answers }
  const contents: Record<number, Record<string, TSchema>> = Object.keys(files).length > 0
    ? { 200: files }
    : {}
  for (const [status, schema] of Object.entries(json)) {
    const hasBody = schema !== Nothing
    contents[Number(status)] = { ...(hasBody && { 'application/json': schema }), ...contents[Number(status)] }
  }
  return contents
}

type Of<T> = T extends TSchema ? Static<T> : undefined

export type ParamsOf<E extends Endpoint> = Of<E['params']>
export type QueryOf<E extends Endpoint> = Of<E['query']>
export type BodyOf<E extends Endpoint> = Of<E['body']>

type AnswersOf<E extends Endpoint> = NonNullable<E['answers']>

/** The JSON that it answers, of whatever status. */
export type AnswerOf<E extends Endpoint> = E extends { page: TSchema }
  ? Static<E['page']>
  : { [S in keyof AnswersOf<E>]: Of<AnswersOf<E>[S]> }[keyof AnswersOf<E>]

/** One item of the list that it answers a page of. */
export type ItemOf<E extends Endpoint> = AnswerOf<E> extends { results: (infer Item)[] } ? Item : never

/** The path with its parameters filled in, as a URL has them. */
export function pathOf(
  { path }: Pick<Endpoint, 'path'>,
  params: Readonly<Record<string, unknown>> = {},
): string {
  return path.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(String(params[name])))
}
