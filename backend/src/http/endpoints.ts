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
import { createPlaces } from '../domain/places.ts'
import { AppError } from '../errors.ts'
import type { SeenVersions } from '../db/versions.ts'
import { bodyLimitOf } from './bodies.ts'
import type { Arrival } from '../domain/arrival.ts'
import { arrivalOf } from './arrival.ts'
import { expectedVersionOf } from './etag.ts'
import { actorOf, type Caller } from './guard.ts'
import { pageAnswer, type PageOutcome } from './page.ts'
import { languageOf } from './problem.ts'

/** How long whoever meets too many calls under way should wait. */
const RETRY_AFTER_SECONDS = 5
const JSON_TYPE = 'application/json; charset=utf-8'

/** One call of an endpoint, as its handler sees it. */
export interface Call<E extends Endpoint = Endpoint> {
  params: ParamsOf<E>
  query: QueryOf<E>
  /** A file as it came, where the endpoint takes one. */
  body: E['consumes'] extends readonly string[] ? unknown : BodyOf<E>
  /** Undefined on a public endpoint whose caller does not say who they are. */
  caller: Caller | undefined
  /** The caller as the journal names it. */
  actor: E['access'] extends 'public' ? undefined : Actor
  ip: string
  language: Language
  /** The versions that `If-Match` names; undefined when any will do. */
  expectedVersion: SeenVersions | undefined
  arrival: Arrival
  /** What is wrong with the body, where the endpoint sees bodies that do not fit. */
  fault: Error | undefined
}

/** A file as the answer. */
export class FileAnswer {
  readonly type: string
  readonly content: string | Buffer
  readonly options: { name?: string; version?: number }

  /** @param options.name under which a browser saves it; without one it is shown */
  constructor(type: string, content: string | Buffer, options: { name?: string; version?: number } = {}) {
    this.type = type
    this.content = content
    this.options = options
  }
}

/** Of an answer without a body, whatever the handler gives is left out. */
type Body<T> = T extends null ? unknown : T
type IsUnion<T, All = T> = T extends All ? ([All] extends [T] ? false : true) : never
/** With several statuses the handler says which. */
type Answered<E extends Endpoint> =
  IsUnion<keyof E['answers']> extends true
    ? { [S in keyof E['answers']]: { status: S; body: AnswerOf<E> } }[keyof E['answers']]
    : Body<AnswerOf<E>>
type Versioned<E extends Endpoint, T> = E['sendsVersion'] extends true ? { version: number; body: T } : T

/** What a handler gives back for an endpoint. */
export type Outcome<E extends Endpoint> = E extends { page: TSchema }
  ? PageOutcome<ItemOf<E>>
  : | (E extends { answers: object } ? Versioned<E, Answered<E>> : never)
    | (E extends { files: object } ? FileAnswer : never)

/** One handler for each endpoint of a group, no more and no fewer. */
export type Handlers<G extends Endpoints> = {
  [N in keyof G]: (call: Call<G[N]>) => Outcome<G[N]> | Promise<Outcome<G[N]>>
}

/** A group with who serves it. */
export interface ServedGroup {
  endpoints: Endpoints
  handlers: Readonly<Record<string, (call: never) => unknown>>
}

export const serve = <G extends Endpoints>(endpoints: G, handlers: Handlers<G>): ServedGroup => ({
  endpoints,
  handlers,
})

/** Makes a route of each endpoint. */
export async function registerEndpoints(app: FastifyInstance, groups: readonly ServedGroup[]): Promise<void> {
  for (const { endpoints, handlers } of groups) {
    for (const [name, endpoint] of Object.entries(endpoints)) {
      const route = routeOf(endpoint, handlers[name] as (call: Call) => unknown)
      if (endpoint.consumes === undefined) app.route(route)
      else await app.register(async (own) => registerFileRoute(own, route))
    }
  }
}

/** The body is the file itself, whatever content type it claims: not even one that says to be JSON is read as such. */
function registerFileRoute(own: FastifyInstance, route: RouteOptions): void {
  own.removeAllContentTypeParsers()
  const limit = { parseAs: 'buffer', bodyLimit: route.bodyLimit ?? 0 } as const
  own.addContentTypeParser('*', limit, (_request, body, done) => done(null, body))
  own.route(route)
}

function routeOf(endpoint: Endpoint, handle: (call: Call) => unknown): RouteOptions {
  const { method, path, access, guests = [], maxUnderWay, takesFaultyBody } = endpoint
  return {
    method,
    url: path.replace(/\{(\w+)\}/g, ':$1'),
    config: { access, guests },
    schema: schemaOf(endpoint),
    bodyLimit: bodyLimitOf(endpoint),
    ...(maxUnderWay === undefined ? {} : { onRequest: admitSome(maxUnderWay) }),
    attachValidation: takesFaultyBody === true,
    handler: async (request, reply) =>
      send(endpoint, request, reply, await handle(callOf(endpoint, request))),
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
      // A lone schema spares the choice by content type.
      if (content.length <= 1 && json) return [status, json] as const
      return [
        status,
        { content: Object.fromEntries(content.map(([type, schema]) => [type, { schema }])) },
      ] as const
    },
  )
  return Object.fromEntries(responses.filter(([status]) => status !== '204'))
}

function callOf(endpoint: Endpoint, request: FastifyRequest): Call {
  return {
    params: request.params,
    query: request.query,
    body: request.body,
    caller: request.caller,
    actor: endpoint.access === 'public' ? undefined : actorOf(request),
    // Few handlers ask for these.
    get ip() {
      return request.ip
    },
    get language() {
      return languageOf(request)
    },
    get expectedVersion() {
      return expectedVersionOf(request)
    },
    get arrival() {
      return arrivalOf(request)
    },
    fault: request.validationError,
  } as unknown as Call
}

function send(endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply, outcome: unknown): unknown {
  if (outcome instanceof FileAnswer) return sendFile(reply, outcome)
  const { page, sendsVersion, answers = {} } = endpoint
  if (page) {
    const answer = pageAnswer(request, outcome as PageOutcome<unknown>)
    return Buffer.isBuffer(answer) ? reply.type(JSON_TYPE).send(answer) : answer
  }
  const statuses = Object.keys(answers).map(Number)
  if (statuses.length > 1) {
    const { status, body } = outcome as { status: number; body: unknown }
    return reply.code(status).send(body)
  }
  void reply.code(statuses[0] ?? 200)
  if (!sendsVersion) return reply.send(outcome ?? null)
  const { version, body } = outcome as { version: number; body: unknown }
  return reply.header('etag', `"${version}"`).send(body)
}

function sendFile(reply: FastifyReply, { type, content, options }: FileAnswer): FastifyReply {
  const { name, version } = options
  if (name !== undefined) void reply.header('content-disposition', `attachment; filename="${name}"`)
  if (version !== undefined) void reply.header('etag', `"${version}"`)
  return reply.type(type).send(content)
}

/** Lets so many calls of an endpoint be under way at once; asked before a body is read. */
function admitSome(max: number) {
  const places = createPlaces()
  return async (_request: FastifyRequest, reply: FastifyReply) => {
    const leave = places.take({ all: max })
    if (!leave) throw new AppError('unavailable', { detail: tooMany, retryAfterSeconds: RETRY_AFTER_SECONDS })
    finished(reply.raw, leave)
  }
}

const tooMany = {
  fr: 'Trop de demandes de ce genre arrivent à la fois. Réessayez dans quelques secondes.',
  en: 'Too many requests of this kind are arriving at once. Try again in a few seconds.',
}
