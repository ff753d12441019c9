import { isErrorCode, type ErrorCode, type Problem } from '@escale/protocol'

/** The server's error code, or why there is none: it could not be reached, or its answer not be read. */
export type FailureCode = ErrorCode | 'network' | 'unreadable'

export interface FieldError {
  /** JSON pointer into the body that was sent, such as `/email`. */
  pointer: string
  message: string
}

interface Failure {
  code: FailureCode
  message: string
  status?: number
  fields?: FieldError[]
  retryAfterSeconds?: number
}

/** A failed call. Branch on `code`; `message` is already in the operator's language. */
export class ApiError extends Error {
  readonly code: FailureCode
  readonly status: number
  readonly fields: readonly FieldError[]
  readonly retryAfterSeconds: number | undefined

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options)
    this.name = 'ApiError'
    this.code = failure.code
    this.status = failure.status ?? 0
    this.fields = failure.fields ?? []
    this.retryAfterSeconds = failure.retryAfterSeconds
  }
}

/** The error in an answer. A proxy on the way may answer without a problem document. */
export async function errorOf(response: Response): Promise<ApiError> {
  const problem = await problemOf(response)
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new ApiError({
    code: problem?.code ?? 'unreadable',
    message: problem === undefined ? '' : problem.detail || problem.title,
    status: response.status,
    fields: problem?.errors ?? [],
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
  })
}

async function problemOf(response: Response): Promise<Problem | undefined> {
  try {
    const body = (await response.json()) as Partial<Problem> | null
    return body !== null && typeof body.code === 'string' && isErrorCode(body.code)
      ? (body as Problem)
      : undefined
  } catch {
    return undefined
  }
}
