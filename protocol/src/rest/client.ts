import {
  pathOf,
  type AnswerOf,
  type BodyOf,
  type Endpoint,
  type Endpoints,
  type ParamsOf,
  type QueryOf,
} from './endpoint.ts'

type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** A request for the transport. */
export interface ApiRequest {
  method: Endpoint['method']
  /** With its parameters filled in, without the query. */
  path: string
  query?: Query
  /** Sent as JSON, or as it is if it is a file. */
  body?: unknown
}

/** Sends a request and returns the body of the answer. @throws if the server answers with an error */
export type Send = (request: ApiRequest) => Promise<unknown>

/** An argument of type `T`, optional if none of its fields is required. */
type Argument<T> = T extends undefined ? [] : Partial<T> extends T ? [value?: T] : [value: T]

/** Path parameters, then the body, then the query; each only if the endpoint has it. */
type ArgumentsOf<E extends Endpoint> = [
  ...Argument<ParamsOf<E>>,
  ...(E['consumes'] extends readonly string[] ? [file: Blob] : Argument<BodyOf<E>>),
  ...Argument<QueryOf<E>>,
]

export type Call<E extends Endpoint> = (
  ...args: ArgumentsOf<E>
) => Promise<E['files'] extends object ? unknown : AnswerOf<E>>

export type Client<Groups extends Readonly<Record<string, Endpoints>>> = {
  [G in keyof Groups]: { [Name in keyof Groups[G]]: Call<Groups[G][Name]> }
}

/** A function for each endpoint: `api.sessions.addTime({ id }, { minutes: 10 })`. */
export function createClient<const Groups extends Readonly<Record<string, Endpoints>>>(
  groups: Groups,
  send: Send,
): Client<Groups> {
  const clientOf = (endpoints: Endpoints) =>
    Object.fromEntries(Object.entries(endpoints).map(([name, endpoint]) => [name, callOf(endpoint, send)]))
  return Object.fromEntries(
    Object.entries(groups).map(([name, endpoints]) => [name, clientOf(endpoints)]),
  ) as unknown as Client<Groups>
}

function callOf(endpoint: Endpoint, send: Send) {
  const { method, params, query, body, consumes } = endpoint
  return (...args: unknown[]) => {
    const next = (isTaken: boolean) => (isTaken ? args.shift() : undefined)
    const path = pathOf(endpoint, next(params !== undefined) as Record<string, unknown> | undefined)
    const hasBody = body !== undefined || consumes !== undefined
    // An action without fields is called with an empty object.
    const sent = hasBody ? { body: next(true) ?? {} } : {}
    return send({ method, path, ...sent, query: next(query !== undefined) as Query | undefined })
  }
}
