import { createPlaces } from '@escale/broker'
import { finished } from 'node:stream'
import {
  contentsOf,
  type Actor,
  type AnswerOf,
  type BodyOf,
  type Endpoint,
  type Endpoints,
  type ItemOf,
  type Language,
  type ParamsOf,
  type QueryOf,
} from '@escale/protocol'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema, RouteOptions } from 'fastify'
import type { TSchema } from 'typebox'
import { AppError } from '../errors.ts'
import type { SeenVersions } from '../db/versions.ts'
import { bodyLimitOf } from './bodies.ts'
import type { Arrival } from '../domain/arrival.ts'
import { arrivalOf } from './arrival.ts'
import { expectedVersionOf } from './etag.ts'
import { actorOf, type Caller } from './guard.ts'
import { pageAnswer, type PageOutcome } from './page.ts'
import { languageOf } from './problem.ts'

/** Wait that is suggested to a caller when too many calls are running. */
const RETRY_AFTER_SECONDS = 5
const JSON_TYPE = 'application/json; charset=utf-8'

/** One call of an endpoint, as its handler sees it. */
export interface Call<E extends Endpoint = Endpoint> {
  params: ParamsOf<E>
  query: QueryOf<E>
  /** The raw file if the endpoint takes one. */
  body: E['consumes'] extends readonly string[] ? unknown : BodyOf<E>
  /** Undefined on a public endpoint if the caller sends no credentials. */
  caller: Caller | undefined
  /** The caller as actor for the journal. */
  actor: E['access'] extends 'public' ? undefined : Actor
  ip: string
  language: Language
  /** The versions in `If-Match`; undefined if any version is accepted. */
  expectedVersion: SeenVersions | undefined
  arrival: Arrival
  /** The validation error of the body, for endpoints with `takesFaultyBody`. */
  fault: Error | undefined
}

/** A file as the answer. */
export class FileAnswer {
  readonly type: string
  readonly content: string | Buffer
  readonly options: { name?: string; version?: number }

  /** @param options.name file name for a download; without it the browser shows the file */
  constructor(type: string, content: string | Buffer, options: { name?: string; version?: number } = {}) {
    this.type = type
    this.content = content
    this.options = options
  }
}

/** For an answer without a body, the handler's result is ignored. */
type Body<T> = T extends null ? unknown : T
type IsUnion<T, All = T> = T extends All ? ([All] extends [T] ? false : true) : never
/** If there are several statuses, the handler chooses one. */
type Answered<E extends Endpoint> =
  IsUnion<keyof E['answers']> extends true
    ? { [S in keyof E['answers']]: { status: S; body: AnswerOf<E> } }[keyof E['answers']]
    : Body<AnswerOf<E>>
type Versioned<E extends Endpoint, T> = E['sendsVersion'] extends true ? { version: number; body: T } : T

/** The result of an endpoint's handler. */
export type Outcome<E extends Endpoint> = E extends { page: TSchema }
  ? PageOutcome<ItemOf<E>>
  : | (E extends { answers: object } ? Versioned<E, Answered<E>> : never)
    | (E extends { files: object } ? FileAnswer : never)

/** Exactly one handler for each endpoint of a group. */
export type Handlers<G extends Endpoints> = {
  [N in keyof G]: (call: Call<G[N]>) => Outcome<G[N]> | Promise<Outcome<G[N]>>
}

/** A group of endpoints with its handlers. */
export interface ServedGroup {
  endpoints: Endpoints
  handlers: Readonly<Record<string, (call: never) => unknown>>
}

export const serve = <G extends Endpoints>(endpoints: G, handlers: Handlers<G>): ServedGroup => ({
  endpoints,
  handlers,
})

/** Registers a route for each endpoint. */
export async function registerEndpoints(app: FastifyInstance, groups: readonly ServedGroup[]): Promise<void> {
  for (const { endpoints, handlers } of groups) {
    for (const [name, endpoint] of Object.entries(endpoints)) {
      const route = routeOf(endpoint, handlers[name] as (call: Call) => unknown)
      if (endpoint.consumes === undefined) app.route(route)
      else await app.register(async (own) => registerFileRoute(own, route))
    }
  }
}

/** The body is the file itself, with any content type. Even `application/json` is not parsed. */
function registerFileRoute(own: FastifyInstance, route: RouteOptions): void {
  own.removeAllContentTypeParsers()
  const limit = { parseAs: 'buffer', bodyLimit: route.bodyLimit ?? 0 } as const
  own.addContentTypeParser('*', limit, (_request, body, done) => done(null, body))
  own.route(route)
}

function routeOf(endpoint: Endpoint, handle: (call: Call) => unknown): RouteOptions {
  const { method, path, access, guests = [], maxUnderWay, takesFaultyBody } = endpoint
  const answer = answerOf(endpoint)
  return {
    method,
    url: path.replace(/\{(\w+)\}/g, ':$1'),
    config: { access, guests },
    schema: schemaOf(endpoint),
    bodyLimit: bodyLimitOf(endpoint),
    ...(maxUnderWay === undefined ? {} : { onRequest: limitConcurrentCalls(maxUnderWay) }),
    attachValidation: takesFaultyBody === true,
    handler: (request, reply) => {
      const outcome = handle(new EndpointCall(endpoint, request) as unknown as Call)
      if (!(outcome instanceof Promise)) return answer(request, reply, outcome)
      return outcome.then((settled) => answer(request, reply, settled))
    },
  }
}

function schemaOf(endpoint: Endpoint): FastifySchema {
  const { params, query, body } = endpoint
  return {
    ...(params && { params }),
    ...(query && { querystring: query }),
    ...(body && { body }),
    response: responsesOf(endpoint),
  }
}

function responsesOf(endpoint: Endpoint): Record<string, unknown> {
  const responses = Object.entries(contentsOf(endpoint)).map(
    ([status, { 'application/json': json, ...files }]) => {
      const content = Object.entries({ ...(json && { 'application/json': json }), ...files })
      // With a single schema, Fastify needs no choice by content type.
      if (content.length <= 1 && json) return [status, json] as const
      return [
        status,
        { content: Object.fromEntries(content.map(([type, schema]) => [type, { schema }])) },
      ] as const
    },
  )
  return Object.fromEntries(responses.filter(([status]) => status !== '204'))
}

/** A {@link Call}. Its getters are computed only for the few handlers that ask for them. */
class EndpointCall {
  readonly #request: FastifyRequest
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly caller: Caller | undefined
  readonly actor: Actor | undefined
  readonly fault: Error | undefined

  constructor({ access }: Endpoint, request: FastifyRequest) {
    this.#request = request
    this.params = request.params
    this.query = request.query
    this.body = request.body
    this.caller = request.caller
    this.actor = access === 'public' ? undefined : actorOf(request)
    this.fault = request.validationError
  }

  get ip() {
    return this.#request.ip
  }
  get language() {
    return languageOf(this.#request)
  }
  get expectedVersion() {
    return expectedVersionOf(this.#request)
  }
  get arrival() {
    return arrivalOf(this.#request)
  }
}

/** How the results of an endpoint's handler are sent. */
function answerOf({ page, sendsVersion, answers = {} }: Endpoint) {
  const [status = 200, ...others] = Object.keys(answers).map(Number)

  function sendBody(request: FastifyRequest, reply: FastifyReply, outcome: unknown): FastifyReply {
    if (page) {
      const answer = pageAnswer(request, outcome as PageOutcome<unknown>)
      return (typeof answer === 'string' ? reply.type(JSON_TYPE) : reply).send(answer)
    }
    if (others.length > 0) {
      const { status: chosen, body } = outcome as { status: number; body: unknown }
      return reply.code(chosen).send(body)
    }
    void reply.code(status)
    if (!sendsVersion) return reply.send(outcome ?? null)
    const { version, body } = outcome as { version: number; body: unknown }
    return reply.header('etag', `"${version}"`).send(body)
  }

  return (request: FastifyRequest, reply: FastifyReply, outcome: unknown) =>
    outcome instanceof FileAnswer ? sendFile(reply, outcome) : sendBody(request, reply, outcome)
}

function sendFile(reply: FastifyReply, { type, content, options }: FileAnswer): FastifyReply {
  const { name, version } = options
  if (name !== undefined) void reply.header('content-disposition', `attachment; filename="${name}"`)
  if (version !== undefined) void reply.header('etag', `"${version}"`)
  return reply.type(type).send(content)
}

/** Limits how many calls of an endpoint run at the same time. Checked before the body is read. */
function limitConcurrentCalls(max: number) {
  const places = createPlaces({ perGroup: max })
  return async (_request: FastifyRequest, reply: FastifyReply) => {
    const leave = places.take('all')
    if (!leave) throw new AppError('unavailable', { detail: tooMany, retryAfterSeconds: RETRY_AFTER_SECONDS })
    finished(reply.raw, leave)
  }
}

const tooMany = {
  fr: 'Trop de demandes de ce genre arrivent à la fois. Réessayez dans quelques secondes.',
  en: 'Too many requests of this kind are arriving at once. Try again in a few seconds.',
}
