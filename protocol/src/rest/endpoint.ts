import type { Static, TObject, TSchema } from 'typebox'
import { Nothing } from '../schema.ts'
import type { OperatorRole } from '../auth.ts'
import type { ErrorCode } from '../errors.ts'

/** Who may call: everybody, or operators with at least this role. */
export type Access = 'public' | OperatorRole

/** Other allowed callers with their own credentials: stations, and accounts of kind netboot. */
export type Guest = 'stations' | 'netboot'

/** One endpoint of the REST API. The server, the documentation and the clients are generated from it. */
export interface Endpoint {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** For example `/api/sessions/{id}/`. */
  path: string
  summary: string
  access: Access
  guests?: readonly Guest[]
  params?: TObject
  query?: TSchema
  body?: TSchema
  /** Media types of the body if it is a file, not JSON. */
  consumes?: readonly string[]
  /** Maximum size of the body in bytes, instead of the default. */
  maxBytes?: number
  /** Maximum number of concurrent calls. Others get 503 with Retry-After. */
  maxUnderWay?: number
  /** Status -> schema of the body. 204 has the schema `Nothing`. */
  answers?: Readonly<Record<number, TSchema>>
  /** The answer is a page of a list. */
  page?: TSchema
  /** Media type -> schema of the content, if the answer can be a file. */
  files?: Readonly<Record<string, TSchema>>
  /** The answer has the version of the resource in `ETag`. */
  sendsVersion?: boolean
  /** `If-Match` is checked. */
  takesVersion?: boolean
  /** An invalid body also reaches the handler, which refuses it. */
  takesFaultyBody?: boolean
  /** Error codes beyond those that follow from access, body, query and path. */
  errors?: readonly ErrorCode[]
}

export type Endpoints = Readonly<Record<string, Endpoint>>

/** The bodies of the answers: status -> media type -> schema. Empty for a status without a body. */
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

/** The JSON of the answer, for all statuses. */
export type AnswerOf<E extends Endpoint> = E extends { page: TSchema }
  ? Static<E['page']>
  : { [S in keyof AnswersOf<E>]: Of<AnswersOf<E>[S]> }[keyof AnswersOf<E>]

/** One item of a list. */
export type ItemOf<E extends Endpoint> = AnswerOf<E> extends { results: (infer Item)[] } ? Item : never

/** The path with its parameters filled in and percent-encoded. */
export function pathOf(
  { path }: Pick<Endpoint, 'path'>,
  params: Readonly<Record<string, unknown>> = {},
): string {
  return path.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(String(params[name])))
}
