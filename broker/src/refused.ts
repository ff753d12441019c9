import { accountOf, errorTitle, type ErrorCode, type TopicPayload } from '@escale/protocol'
import type { Connection } from './connections.ts'

/** Longest topic that is said again, characters: a client may send one of 64 KiB. */
const MAX_SAID_CHARACTERS = 200

type Answer = TopicPayload<'response'>

/** Puts an answer on the bus; resolves once it is in the sockets of whoever listens. */
export type Say = (name: 'response' | 'automationResponse', party: string, answer: Answer) => Promise<void>

export interface Refusing {
  /** Tells an account on its response topics that it may not publish on a topic. */
  forbid(connection: Connection, topic: string, id: string | undefined): Promise<void>
  /** Answers a request that goes no further. */
  answer(
    name: 'request' | 'automationRequest',
    party: string,
    code: ErrorCode,
    id: string | undefined,
  ): Promise<void>
}

/** What the broker itself answers, so that whoever wrote a client learns why nothing happens. */
export function createRefusing(say: Say): Refusing {
  const refusalOf = (code: ErrorCode, id: string | undefined, topic?: string): Answer => ({
    ...(id !== undefined && { id }),
    ok: false,
    error: { code, message: errorTitle(code, 'fr'), ...(topic !== undefined && { topic }) },
  })

  return {
    async forbid({ clientId }, topic, id) {
      const answer = refusalOf('topic-forbidden', id, cut(topic))
      for (const party of new Set([accountOf(clientId), clientId])) {
        await say('automationResponse', party, answer)
      }
    },
    answer: (name, party, code, id) =>
      say(name === 'request' ? 'response' : 'automationResponse', party, refusalOf(code, id)),
  }
}

export const cut = (topic: string) => topic.slice(0, MAX_SAID_CHARACTERS)
