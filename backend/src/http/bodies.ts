import { isUtf8 } from 'node:buffer'
import {
  unsoundnessOf,
  type Bilingual,
  type Endpoint,
  type ErrorCode,
  type UnsoundReason,
} from '@escale/protocol'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'

/** Limit for public endpoints. A sign-in or an enrolment has a few hundred bytes. */
export const PUBLIC_BODY_BYTES = 4 * 1_024
/** Limit for signed-in callers, unless the endpoint has its own. */
const BODY_BYTES = 64 * 1_024

/** Maximum size of a body in bytes. */
export const bodyLimitOf = ({ access, maxBytes }: Pick<Endpoint, 'access' | 'maxBytes'>) =>
  maxBytes ?? (access === 'public' ? PUBLIC_BODY_BYTES : BODY_BYTES)

/**
 * Checks of a body before its schema: JSON in UTF-8, within the size limit, and without values that cannot be stored.
 * An action may be called without a body, or with an empty one of any type: both mean `{}`.
 */
export function registerBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (!isCharsetKnown(request)) done(new AppError('unsupported-media-type', { detail: utf8Wanted }))
    else if (body.length === 0) done(null, {})
    else if (!isUtf8(body)) done(new AppError('malformed-json', { detail: utf8Wanted }))
    else void parse(request, body.toString(), done)
  })
  // Fastify has a default parser for text/plain, and would then answer `invalid-body` instead of 415.
  app.removeContentTypeParser('text/plain')
  app.addHook('onRequest', ({ headers, raw }, _reply, done) => {
    if (headers['content-length'] === '0') delete headers['content-type']
    done(isUtf8Query(raw.url ?? '') ? undefined : new AppError('invalid-query', { detail: utf8Wanted }))
  })
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.body === undefined && request.method !== 'GET') request.body = {}
    done(unsoundErrorOf(request.body, 'invalid-body'))
  })
  // Comes after the conversion to numbers, because `1e400` becomes Infinity there.
  app.addHook('preHandler', ({ params, query }, _reply, done) =>
    done(unsoundErrorOf(params, 'not-found') ?? unsoundErrorOf(query, 'invalid-query')),
  )
}

const utf8Wanted: Bilingual = {
  fr: 'Envoyez du texte en UTF-8.',
  en: 'Send text in UTF-8.',
}

/** ASCII is UTF-8 too. */
function isCharsetKnown({ headers }: FastifyRequest): boolean {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(headers['content-type'] ?? '')?.[1]
  return charset === undefined || ['utf-8', 'utf8', 'us-ascii'].includes(charset.toLowerCase())
}

/** Percent-encoded bytes must be valid UTF-8. A `%` that encodes nothing is allowed. */
function isUtf8Query(url: string): boolean {
  const query = url.slice(url.indexOf('?') + 1)
  if (!url.includes('?') || !query.includes('%')) return true
  try {
    decodeURIComponent(query.replace(/%(?![0-9a-f]{2})/gi, '%25'))
    return true
  } catch {
    return false
  }
}

const reasons: Record<UnsoundReason, Bilingual> = {
  nul: { fr: 'Le caractère NUL n’est pas accepté.', en: 'The NUL character is not accepted.' },
  'lone-surrogate': {
    fr: 'Ce texte contient la moitié d’un caractère\u00a0: envoyez-le entier.',
    en: 'This text holds half of a character: send it whole.',
  },
  'not-finite': { fr: 'Ce nombre est trop grand.', en: 'This number is too large.' },
  'too-deep': {
    fr: 'Le contenu est imbriqué trop profondément.',
    en: 'The content is nested too deeply.',
  },
}

function unsoundErrorOf(value: unknown, code: ErrorCode): AppError | undefined {
  const fault = unsoundnessOf(value)
  return fault && new AppError(code, { errors: [{ pointer: fault.pointer, message: reasons[fault.reason] }] })
}
