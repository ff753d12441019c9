import type { Request, Response } from '@escale/protocol'
import type { TSchema } from 'typebox'
import { Check } from 'typebox/value'
import type { Clock } from '../../clock.ts'
import type { Store } from '../../db/database.ts'
import { AppError, failure, messageOf, type Result } from '../../errors.ts'
import { keyedHash } from '../../crypto/secrets.ts'
import type { Sealer } from '../../crypto/sealing.ts'
import type { Feature } from '../../features/feature.ts'
import { createRequestRepository } from './repository.ts'

export interface AnswerPorts {
  database: Store
  /** Encrypts the stored answers, because they can contain valid access codes. */
  sealer: Sealer
  /** Key for the hashes of requests. */
  hashKey: Buffer
  clock: Clock
}

/** The ops of one kind of client, and their handler. */
export interface Answering {
  ops: Record<string, { params: TSchema }>
  /** Ops that change nothing. Their answers are not stored. */
  isRead(op: string): boolean
  handle(op: string, params: unknown): Promise<Result<object>>
}

export type Answers = ReturnType<typeof createAnswers>['service']

/** Answers requests of stations and automations on the bus. Each request id has one answer, also after a restart. */
export function createAnswers({ database, sealer, hashKey, clock }: AnswerPorts) {
  const repository = createRequestRepository(database)

  async function outcomeOf(
    { op, params = {} }: Request,
    { ops, handle }: Answering,
  ): Promise<Result<object>> {
    const known = Object.hasOwn(ops, op) ? ops[op] : undefined
    if (!known) return failure('unknown-op')
    if (!Check(known.params, params)) return failure('invalid-body')
    try {
      return await handle(op, params)
    } catch (err) {
      if (err instanceof AppError) return { ok: false, error: err }
      throw err
    }
  }

  /** Executes a request once. A repeated request gets the stored answer. */
  function answerOnce(party: string, request: Request, answering: Answering): Promise<Response> {
    const contentHash = keyedHash(hashKey, JSON.stringify([request.op, request.params ?? {}]))
    return database.write(async () => {
      const known = await repository.find(party, request.id)
      if (known) {
        if (known.contentHash !== contentHash) return toResponse(request.id, failure('id-reused'))
        const answered = sealer.open(known.sealedResponse)
        if (answered === undefined) throw new Error('the stored answer was encrypted with another key')
        return JSON.parse(answered) as Response
      }
      const response = toResponse(request.id, await outcomeOf(request, answering))
      await repository.save({
        party,
        requestId: request.id,
        contentHash,
        sealedResponse: sealer.seal(JSON.stringify(response)),
        atMs: clock.nowMs(),
      })
      return response
    })
  }

  const service = {
    removeBefore: repository.removeBefore,

    /** Removes the stored answers about an erased user. */
    async forget(isAbout: (answer: string) => boolean): Promise<void> {
      for await (const rows of repository.all()) {
        const about = rows.filter(({ sealedResponse }) => isAbout(sealer.open(sealedResponse) ?? ''))
        if (about.length > 0) await database.write(() => repository.remove(about))
      }
    },

    /** @param party station id, or full client id of an automation; request ids are unique for each party */
    async answer(party: string, request: Request, answering: Answering): Promise<Response> {
      return answering.isRead(request.op)
        ? toResponse(request.id, await outcomeOf(request, answering))
        : answerOnce(party, request, answering)
    },
  }
  return { service } satisfies Feature
}

/** The result of a request as a message on the bus. */
export function toResponse(id: string, result: Result<object>): Response {
  if (result.ok) return { id, ok: true, data: { ...result.value } }
  const { error } = result
  const { retryAfterSeconds } = error.extras
  return { id, ok: false, error: { code: error.code, message: messageOf(error, 'fr'), retryAfterSeconds } }
}
