import { Ajv, type AnySchemaObject } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../errors.ts'

/**
 * Bodies are taken as they are: nothing is dropped, filled in or coerced. Query strings and path parameters
 * are text, so numbers and booleans in them are converted and defaults filled in.
 */
export function registerValidation(app: FastifyInstance): void {
  const bodies = new Ajv({ removeAdditional: false, coerceTypes: false, useDefaults: false, allErrors: true })
  const queries = new Ajv({ removeAdditional: false, coerceTypes: true, useDefaults: true, allErrors: true })
  for (const ajv of [bodies, queries]) addFormats.default(ajv)
  app.setValidatorCompiler<AnySchemaObject>(({ schema, httpPart }) =>
    (httpPart === 'body' ? bodies : queries).compile(schema),
  )
}

/** An action may be called without a body, or with an empty one of any type: it then reads `{}`. */
export function registerBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, {})
    else void parse(request, String(body), done)
  })
  // Fastify would take texts by itself, and call them bodies that do not fit.
  app.removeContentTypeParser('text/plain')
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.headers['content-length'] === '0') delete request.headers['content-type']
    done()
  })
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.body === undefined && request.method !== 'GET') request.body = {}
    done()
  })
  app.addHook('preHandler', async ({ params, query, body }) => {
    if (!isSound(params)) throw new AppError('not-found')
    if (!isSound(query)) throw new AppError('invalid-query')
    if (!isSound(body)) throw new AppError('invalid-body')
  })
}

/**
 * What a schema lets pass and a database does not take: the NUL character, and the infinity that `1e400` in an
 * address becomes.
 */
function isSound(value: unknown): boolean {
  if (typeof value === 'string') return !value.includes('\0')
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, field]) => isSound(name) && isSound(field))
}
