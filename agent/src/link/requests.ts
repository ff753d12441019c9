import { randomUUID } from 'node:crypto'
import type { Request, Response, StationOp } from '@escale/protocol'
import type { Answer } from '../core/index.ts'

export const REQUEST_LIMIT_MS = 10_000

interface Pending {
  request: Request
  isResent: boolean
  settle: (answer: Answer | undefined) => void
}

export interface AskOptions {
  /** How long an answer is waited for, ms. */
  limitMs?: number
  /** Whether a new connection carries the question on, under the same id. */
  isResent?: boolean
}

export interface Requests {
  /** Resolves with the answer, or undefined when none came in time. Never rejects. */
  ask: (op: StationOp, params: Record<string, unknown>, options?: AskOptions) => Promise<Answer | undefined>
  take: (response: Response) => void
  /** Sends again, under the same ids, what a lost connection left unanswered. */
  resend: () => void
  /** Gives up what a new connection would not carry on. */
  lose: () => void
  close: () => void
}

/** Requests by id with a time limit; `send` may lose them, and `resend` brings them back. */
export function createRequests(send: (request: Request) => void): Requests {
  const pending = new Map<string, Pending>()
  return {
    ask: (op, params, { limitMs = REQUEST_LIMIT_MS, isResent = true } = {}) =>
      new Promise((resolve) => {
        const request = { id: randomUUID(), op, params }
        const settle = (answer: Answer | undefined) => {
          clearTimeout(timer)
          pending.delete(request.id)
          resolve(answer)
        }
        const timer = setTimeout(() => settle(undefined), limitMs)
        pending.set(request.id, { request, isResent, settle })
        send(request)
      }),
    take: (response) => pending.get(response.id ?? '')?.settle(answerOf(response)),
    resend: () => pending.forEach(({ request }) => send(request)),
    lose: () => {
      for (const { isResent, settle } of [...pending.values()]) if (!isResent) settle(undefined)
    },
    close: () => {
      for (const { settle } of [...pending.values()]) settle(undefined)
    },
  }
}

function answerOf(response: Response): Answer {
  return response.ok ? { ok: true, data: response.data } : { ok: false, ...response.error }
}
