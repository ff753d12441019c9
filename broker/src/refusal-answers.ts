import { accountOf, errorTitle, type ErrorCode, type TopicPayload } from '@escale/protocol'
import type { Connection } from './connections.ts'

/** Longest topic that is repeated in answers and logs, characters. A client can send one of 64 KiB. */
const MAX_SHOWN_CHARACTERS = 200

type Answer = TopicPayload<'response'>

/** Publishes an answer; resolves when the sockets of all subscribers have it. */
export type PublishAnswer = (
  name: 'response' | 'automationResponse',
  party: string,
  answer: Answer,
) => Promise<void>

export type RefusalAnswers = ReturnType<typeof createRefusalAnswers>

/** Error answers of the broker itself, so that the author of a client learns what is wrong. */
export function createRefusalAnswers(publish: PublishAnswer) {
  const refusalOf = (code: ErrorCode, id: string | undefined, topic?: string): Answer => ({
    ...(id !== undefined && { id }),
    ok: false,
    error: { code, message: errorTitle(code, 'fr'), ...(topic !== undefined && { topic }) },
  })

  return {
    /** Tells an account on its response topics that it may not publish on a topic. */
    async forbid({ clientId }: Connection, topic: string, id: string | undefined): Promise<void> {
      const answer = refusalOf('topic-forbidden', id, cut(topic))
      for (const party of new Set([accountOf(clientId), clientId])) {
        await publish('automationResponse', party, answer)
      }
    },
    /** Answers a request that is not passed to the server. */
    refuse: (
      name: 'request' | 'automationRequest',
      party: string,
      code: ErrorCode,
      id: string | undefined,
    ): Promise<void> =>
      publish(name === 'request' ? 'response' : 'automationResponse', party, refusalOf(code, id)),
  }
}

export const cut = (topic: string) => topic.slice(0, MAX_SHOWN_CHARACTERS)
