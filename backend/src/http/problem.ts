import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { errorTable, errorTitle, type ErrorCode, type Language, type Problem } from '@escale/protocol'
import { AppError, messageOf } from '../errors.ts'
import { fieldErrorOf } from './field-errors.ts'

/** French unless the reader asks for English first; whoever takes any language gets French. */
export function languageOf(request: Pick<FastifyRequest, 'headers'>): Language {
  const preferred = (request.headers['accept-language'] ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', ...params] = part.trim().toLowerCase().split(';')
      const quality = params.map((p) => /^\s*q=([\d.]+)$/.exec(p)?.[1]).find((q) => q !== undefined)
      return { tag, quality: quality === undefined ? 1 : Number(quality) }
    })
    .filter(({ tag, quality }) => quality > 0 && /^((fr|en)\b|\*$)/.test(tag))
    .sort((a, b) => b.quality - a.quality)[0]
  return preferred?.tag.startsWith('en') ? 'en' : 'fr'
}

/** Answers every failure as problem+json, in the reader's language; only what is not expected is logged. */
export function registerProblems(app: FastifyInstance): void {
  app.setErrorHandler(handleFailure)
}

/** Also for what Fastify finds before it knows the route, such as an address that cannot be decoded. */
export function handleFailure(err: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toAppError(err)
  if (error.code === 'internal') request.log.error({ err }, 'request failed')
  return sendProblem(request, reply, error)
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: AppError): FastifyReply {
  const language = languageOf(request)
  const { status } = errorTable[error.code]
  const { errors } = error.extras
  const problem: Problem = {
    type: `urn:escale:error:${error.code}`,
    title: errorTitle(error.code, language),
    status,
    detail: messageOf(error, language),
    instance: request.url,
    code: error.code,
    ...(errors
      ? { errors: errors.map(({ pointer, message }) => ({ pointer, message: message[language] })) }
      : {}),
  }
  if (error.extras.retryAfterSeconds !== undefined)
    reply.header('retry-after', error.extras.retryAfterSeconds)
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  return reply.code(status).type('application/problem+json; charset=utf-8').send(JSON.stringify(problem))
}

const codeOfFastifyError: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed-json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed-json',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed-json',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_BAD_URL: 'not-found',
  FST_ERR_MAX_PARAM_LENGTH: 'not-found',
}

function toAppError(err: FastifyError): AppError {
  if (err instanceof AppError) return err
  if (err.validation) return validationError(err)
  const code = codeOfFastifyError[err.code] ?? (err.statusCode === 400 ? 'malformed-json' : undefined)
  return new AppError(code ?? (err.statusCode === 404 ? 'not-found' : 'internal'))
}

function validationError(err: FastifyError): AppError {
  const failures = err.validation ?? []
  const errors = failures.map(fieldErrorOf)
  if (err.validationContext !== 'body') {
    return new AppError(err.validationContext === 'params' ? 'not-found' : 'invalid-query', { errors })
  }
  const hasUnknown = failures.some(({ keyword }) => keyword === 'additionalProperties')
  return new AppError(hasUnknown ? 'unknown-field' : 'invalid-body', { errors })
}
