import { errorTitle, type Bilingual, type ErrorCode, type Language } from '@escale/protocol'

/** What is wrong with one field of a body. `pointer` is a JSON pointer (RFC 6901). */
export interface FieldError {
  pointer: string
  message: Bilingual
}

export interface ErrorExtras {
  /** More information than the title has. */
  detail?: Bilingual
  /** Seconds until the same call may succeed. */
  retryAfterSeconds?: number
  errors?: FieldError[]
  /** The original error; only for the log. */
  cause?: unknown
}

/** An expected failure. REST, WebSocket and MQTT answer with its code. */
export class AppError extends Error {
  override name = 'AppError'
  readonly code: ErrorCode
  readonly extras: ErrorExtras

  constructor(code: ErrorCode, extras: ErrorExtras = {}) {
    super(code, { cause: extras.cause })
    this.code = code
    this.extras = extras
  }
}

/** One field of a body does not fit. */
export const invalidField = (pointer: string, message: Bilingual): AppError =>
  new AppError('invalid-body', { errors: [{ pointer, message }] })

/** A success or a failure as a value. A service that returns a failure does not throw, so its write is still committed. */
export type Result<T> = { ok: true; value: T } | { ok: false; error: AppError }

export const success = <T>(value: T): Result<T> => ({ ok: true, value })
export const failure = (code: ErrorCode, extras?: ErrorExtras): { ok: false; error: AppError } => ({
  ok: false,
  error: new AppError(code, extras),
})

/** @throws AppError if the result is a failure */
export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw result.error
  return result.value
}

export function messageOf(error: AppError, language: Language): string {
  return error.extras.detail?.[language] ?? errorTitle(error.code, language)
}

/** A mistake in the setup that keeps a server or a command from starting. The message says how to fix it, French first. */
export class SetupError extends Error {
  constructor(french: string, english: string, cause?: unknown) {
    super(`${french}\n${english}`, { cause })
  }
}
