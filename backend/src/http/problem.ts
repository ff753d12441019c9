import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import { errorTable, errorTitle, type ErrorCode, type Language, type Problem } from '@escale/protocol'
import { storageErrorOf } from '../db/storage-fault.ts'
import { AppError, messageOf } from '../errors.ts'
import { bodyErrorOf, fieldErrorOf } from '../field-errors.ts'

/** Limit of listed errors, which keeps the answer small. */
const MAX_ERRORS = 20
const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'
/** Longest expected time of a restart. */
const RESTART_SECONDS = 5

/** English if the client prefers it, otherwise French. */
export const languageOf = ({ headers }: Pick<FastifyRequest, 'headers'>): Language =>
  new Negotiator({ headers }).language(['fr', 'en']) === 'en' ? 'en' : 'fr'

/** Answers every failure as problem+json in the client's language. Only unexpected failures are logged. */
export function registerProblems(app: FastifyInstance): void {
  app.setErrorHandler(handleFailure)
}

/** Also used for failures before routing, such as a URL that cannot be decoded. */
export function handleFailure(err: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toAppError(err)
  if (error.code === 'internal') request.log.error({ err }, 'request failed')
  return sendProblem(request, reply, error)
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: AppError): FastifyReply {
  const problem = problemOf(error, request.url, languageOf(request))
  const { status } = problem
  if (error.extras.retryAfterSeconds !== undefined)
    reply.header('retry-after', error.extras.retryAfterSeconds)
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  return reply.code(status).type(PROBLEM_TYPE).send(JSON.stringify(problem))
}

function problemOf(error: AppError, instance: string, language: Language): Problem {
  const { errors } = error.extras
  return {
    type: `urn:escale:error:${error.code}`,
    title: errorTitle(error.code, language),
    status: errorTable[error.code].status,
    detail: messageOf(error, language),
    instance,
    code: error.code,
    ...(errors
      ? {
          errors: errors
            .slice(0, MAX_ERRORS)
            .map(({ pointer, message }) => ({ pointer, message: message[language] })),
        }
      : {}),
  }
}

const codeOfConnectionError: Record<string, ErrorCode> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
}

/** Answers a malformed request and closes the connection. The client's language is unknown, so the answer is French. */
export function refuseConnection(err: Error & { code?: string }, socket: Socket): void {
  if (err.code === 'ECONNRESET' || socket.destroyed) return
  const code = codeOfConnectionError[err.code ?? ''] ?? 'malformed-request'
  const problem = problemOf(new AppError(code), '', 'fr')
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.destroySoon()
}

/** While the server closes, new requests on open connections get 503 with Retry-After. */
export function registerClosing(app: FastifyInstance): void {
  let isClosing = false
  app.addHook('preClose', (done) => {
    isClosing = true
    done()
  })
  app.addHook('onRequest', (_request, _reply, done) =>
    done(isClosing ? new AppError('unavailable', { retryAfterSeconds: RESTART_SECONDS }) : undefined),
  )
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
  const unavailable = storageErrorOf(err)
  if (unavailable) return unavailable
  const code = codeOfFastifyError[err.code] ?? (err.statusCode === 400 ? 'malformed-json' : undefined)
  return new AppError(code ?? (err.statusCode === 404 ? 'not-found' : 'internal'))
}

function validationError({ validation = [], validationContext }: FastifyError): AppError {
  if (validationContext === 'body') return bodyErrorOf(validation)
  const code = validationContext === 'params' ? 'not-found' : 'invalid-query'
  return new AppError(code, { errors: validation.map(fieldErrorOf) })
}
