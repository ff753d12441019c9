import { matchTopic, mayPublish, maySubscribe, type TopicMatch } from '@escale/protocol'
import type { Connection } from './connections.ts'
import { MAX_FILTERS } from './wire-rules.ts'

/** A row of the topic table, and the station or the client whose level the topic has. */
export type OwnTopic = TopicMatch & { party: string }

/** Whose author is told what is wrong; a station runs our own program, and a browser publishes nothing. */
export const isAccount = ({ principal: { kind } }: Connection) =>
  kind === 'automation' || kind === 'diagnostics'

/** Why a filter is not granted; undefined where it is. */
export function refusalOfFilter({ principal, filters }: Connection, topic: string): string | undefined {
  if (!maySubscribe(principal.kind, principal.party, topic)) return 'subscription outside the policy'
  if (filters.size >= MAX_FILTERS && !filters.has(topic)) return 'too many subscriptions'
  return undefined
}

/** The row of a topic that this connection may publish on. */
export function publishableBy(connection: Connection | undefined, topic: string): OwnTopic | undefined {
  if (!connection) return undefined
  const known = connection.publishable.get(topic)
  if (known) return owned(known)
  const { kind, party } = connection.principal
  const match = mayPublish(kind, party, topic) ? matchTopic(topic) : undefined
  if (match) connection.publishable.set(topic, match)
  return owned(match)
}

/** The will of a client whose process is gone was checked where it logged in: here its topic decides. */
export function publishableByNobodyHere(topic: string): OwnTopic | undefined {
  const match = matchTopic(topic)
  return match && match.rule.publishers.length > 0 ? owned(match) : undefined
}

const hasParty = (match: TopicMatch): match is OwnTopic => match.party !== undefined
const owned = (match: TopicMatch | undefined) => (match && hasParty(match) ? match : undefined)
