import type { Static, TSchema } from 'typebox'
import {
  Ack,
  Command,
  Desired,
  DomainEvent,
  Heartbeat,
  Presence,
  Reported,
  Request,
  Response,
  SiteConfig,
  StationEvent,
} from './payloads.ts'

export const TOPIC_ROOT = 'escale/v1'

/** Kinds of broker clients. The server itself is not a client; it uses the broker's hooks. */
export type ClientKind = 'station' | 'automation' | 'operator' | 'diagnostics'

export interface TopicRule<S extends TSchema = TSchema> {
  /** Below the root; `{stationId}`, `{clientId}` and `{kind}` stand for one level. */
  pattern: string
  payload: S
  qos: 0 | 1
  retain: boolean
  /** Each on its own levels only: a station on its `{stationId}`, an automation on any `{clientId}` of its account. */
  publishers: readonly ClientKind[]
  /** A station on its own levels only; the others on all levels of the pattern. */
  subscribers: readonly ClientKind[]
  /** Delivered only to the station or automation in the topic, whoever subscribes. */
  isPrivate: boolean
}

const watchers = ['automation', 'operator', 'diagnostics'] as const

/** A row of the table. Defaults: QoS 1, not retained, no publishers, no subscribers, not private. */
const rule = <S extends TSchema>(
  pattern: string,
  payload: S,
  options: Partial<Omit<TopicRule, 'pattern' | 'payload'>>,
): TopicRule<S> => ({
  pattern,
  payload,
  qos: 1,
  retain: false,
  publishers: [],
  subscribers: [],
  isPrivate: false,
  ...options,
})

/** The bus in one table: every topic, its payload, quality of service, and who may do what. */
export const topicTable = {
  presence: rule('stations/{stationId}/presence', Presence, {
    retain: true,
    publishers: ['station'],
    subscribers: watchers,
  }),
  heartbeat: rule('stations/{stationId}/heartbeat', Heartbeat, {
    qos: 0,
    publishers: ['station'],
    subscribers: watchers,
  }),
  desired: rule('stations/{stationId}/desired', Desired, {
    retain: true,
    subscribers: ['station', 'diagnostics'],
  }),
  reported: rule('stations/{stationId}/reported', Reported, {
    retain: true,
    publishers: ['station'],
    subscribers: watchers,
  }),
  request: rule('stations/{stationId}/request', Request, { isPrivate: true, publishers: ['station'] }),
  response: rule('stations/{stationId}/response', Response, { isPrivate: true, subscribers: ['station'] }),
  command: rule('stations/{stationId}/command', Command, { subscribers: ['station', 'diagnostics'] }),
  ack: rule('stations/{stationId}/ack', Ack, { publishers: ['station'], subscribers: ['diagnostics'] }),
  events: rule('stations/{stationId}/events', StationEvent, {
    publishers: ['station'],
    subscribers: ['diagnostics'],
  }),
  config: rule('config', SiteConfig, { retain: true, subscribers: ['station', 'diagnostics'] }),
  domainEvent: rule('events/{kind}', DomainEvent, { subscribers: watchers }),
  automationRequest: rule('automation/{clientId}/request', Request, {
    isPrivate: true,
    publishers: ['automation'],
  }),
  automationResponse: rule('automation/{clientId}/response', Response, {
    isPrivate: true,
    // Diagnostics clients send no requests. They get errors here after a forbidden publication.
    subscribers: ['automation', 'diagnostics'],
  }),
} as const

export type TopicName = keyof typeof topicTable
export type TopicPayload<N extends TopicName> = Static<(typeof topicTable)[N]['payload']>

const PLACEHOLDER = /\{\w+\}/

/** The topic of one station, client or kind: `topicOf('desired', 'pc-01')` is `escale/v1/stations/pc-01/desired`. */
export function topicOf(name: TopicName, party?: string): string {
  const pattern: string = topicTable[name].pattern
  return `${TOPIC_ROOT}/${party === undefined ? pattern : pattern.replace(PLACEHOLDER, party)}`
}

/** A parsed topic: its row of the table, and the station, client or kind in it. */
export interface TopicMatch {
  name: TopicName
  rule: TopicRule
  party?: string
}

const rows = Object.entries(topicTable) as [TopicName, TopicRule][]

// Split only once, since the broker matches each message.
const patterns = rows.map(([name, topicRule]) => {
  const levels = topicOf(name).split('/')
  return { name, rule: topicRule, levels, partyIndex: levels.findIndex((level) => PLACEHOLDER.test(level)) }
})

/** Finds the row of the table for a topic; undefined when there is none. */
export function matchTopic(topic: string): TopicMatch | undefined {
  const levels = topic.split('/')
  for (const { name, rule: topicRule, levels: pattern, partyIndex } of patterns) {
    if (pattern.length !== levels.length) continue
    if (!pattern.every((level, i) => i === partyIndex || level === levels[i])) continue
    const party = levels[partyIndex]
    return party === undefined ? { name, rule: topicRule } : { name, rule: topicRule, party }
  }
  return undefined
}

/** The widest topic filters that a client may subscribe to; narrower ones are allowed too. */
export function subscriptionFilters(kind: ClientKind, party: string): string[] {
  if (kind === 'diagnostics') return [`${TOPIC_ROOT}/#`, '$SYS/#']
  return rows
    .filter(([, topicRule]) => topicRule.subscribers.includes(kind))
    .map(([name, topicRule]) => {
      if (name === 'domainEvent') return `${TOPIC_ROOT}/events/#`
      const isOwn = kind === 'station' || topicRule.isPrivate
      return topicOf(name, isOwn ? party : '+')
    })
}

/** Whether every topic that `filter` matches is also matched by `allowed` (MQTT 3.1.1 section 4.7). */
export function covers(allowed: string, filter: string): boolean {
  const wide = allowed.split('/')
  const narrow = filter.split('/')
  for (const [i, level] of wide.entries()) {
    if (level === '#') return true
    const other = narrow[i]
    if (other === undefined || other === '#') return false
    if (level !== '+' && level !== other) return false
  }
  return narrow.length === wide.length
}

/** The account of an MQTT client id: the part before the colon. */
export function accountOf(clientId: string): string {
  return clientId.split(':', 1)[0] ?? clientId
}

/**
 * Whether a level belongs to a client: its station's id, its account's name, or any client id of that account. Clients
 * of one account share a secret, so one may send requests whose answers another receives.
 */
function isOwnLevel(kind: ClientKind, party: string, level: string | undefined): boolean {
  if (kind === 'station' || level === undefined) return level === party
  const account = accountOf(party)
  return level === account || level.startsWith(`${account}:`)
}

/** Whether a client may publish on a topic: its row lists the client's kind, and the level is the client's own. */
export function mayPublish(kind: ClientKind, party: string, topic: string): boolean {
  const match = matchTopic(topic)
  return match?.rule.publishers.includes(kind) === true && isOwnLevel(kind, party, match.party)
}

export function maySubscribe(kind: ClientKind, party: string, filter: string): boolean {
  if (subscriptionFilters(kind, party).some((allowed) => covers(allowed, filter))) return true
  return matchTopic(filter)?.rule.isPrivate === true && mayReceive(kind, party, filter)
}

/** Whether a message may be delivered to a subscriber: private topics only to the client in the topic. */
export function mayReceive(kind: ClientKind, party: string, topic: string): boolean {
  const match = matchTopic(topic)
  if (!match?.rule.isPrivate) return true
  return match.rule.subscribers.includes(kind) && isOwnLevel(kind, party, match.party)
}
