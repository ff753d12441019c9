import { matchTopic, mayPublish, maySubscribe, type TopicMatch } from '@escale/protocol'
import type { Connection } from './connections.ts'
import { MAX_FILTERS } from './wire-rules.ts'

/** A row of the topic table, and the station or client in the topic. */
export type OwnTopic = TopicMatch & { party: string }

/** Clients that get a reason for a refusal. A station runs our own program, and a browser does not publish. */
export const isAccount = ({ principal: { kind } }: Connection) =>
  kind === 'automation' || kind === 'diagnostics'

/** Why a filter is refused; undefined if it is granted. */
export function refusalOfFilter({ principal, filters }: Connection, topic: string): string | undefined {
  if (!maySubscribe(principal.kind, principal.party, topic)) return 'subscription outside the policy'
  if (filters.size >= MAX_FILTERS && !filters.has(topic)) return 'too many subscriptions'
  return undefined
}

/** The row of the topic if this connection may publish on it. */
export function publishableBy(connection: Connection | undefined, topic: string): OwnTopic | undefined {
  if (!connection) return undefined
  const known = connection.publishable.get(topic)
  if (known) return owned(known)
  const { kind, party } = connection.principal
  const match = mayPublish(kind, party, topic) ? matchTopic(topic) : undefined
  if (match) connection.publishable.set(topic, match)
  return owned(match)
}

/** The will of a client of a dead process was checked at its login, so only its topic is checked here. */
export function publishableByNobodyHere(topic: string): OwnTopic | undefined {
  const match = matchTopic(topic)
  return match && match.rule.publishers.length > 0 ? owned(match) : undefined
}

const hasParty = (match: TopicMatch): match is OwnTopic => match.party !== undefined
const owned = (match: TopicMatch | undefined) => (match && hasParty(match) ? match : undefined)
