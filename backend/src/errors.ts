import { errorTitle, type Bilingual, type ErrorCode, type Language } from '@escale/protocol'

/** What is wrong with one field of a body; the pointer is RFC 6901's. */
export interface FieldError {
  pointer: string
  message: Bilingual
}

export interface ErrorExtras {
  /** More than the title says, when it helps; both languages. */
  detail?: Bilingual
  /** Seconds until the same call may succeed. */
  retryAfterSeconds?: number
  errors?: FieldError[]
  /** What lay beneath, for the log alone. */
  cause?: unknown
}

/** An expected failure that crosses a boundary: REST, WebSocket and MQTT carry its code. */
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

/** An outcome as a value: services return it, so that a refusal still commits what must be kept. */
export type Result<T> = { ok: true; value: T } | { ok: false; error: AppError }

export const success = <T>(value: T): Result<T> => ({ ok: true, value })
export const failure = (code: ErrorCode, extras?: ErrorExtras): { ok: false; error: AppError } => ({
  ok: false,
  error: new AppError(code, extras),
})

/** @throws AppError when the outcome is a failure */
export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw result.error
  return result.value
}

export function messageOf(error: AppError, language: Language): string {
  return error.extras.detail?.[language] ?? errorTitle(error.code, language)
}

/** What keeps a server or a command from its work and whoever starts it can mend; says how, French first. */
export class SetupError extends Error {
  constructor(french: string, english: string, cause?: unknown) {
    super(`${french}\n${english}`, { cause })
  }
}
