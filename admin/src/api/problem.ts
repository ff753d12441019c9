import { isErrorCode, type ErrorCode, type Problem } from '@escale/protocol'

/** What the server says, or why it could not be asked or understood. */
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

/** A call that did not succeed; `code` is what to branch on, `message` is already in the reader's language. */
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

/** The error that an answer carries. Something between us and the server may answer without a problem. */
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
