import type { AedesOptions, Client } from 'aedes'
import {
  covers,
  matchTopic,
  mayPublish,
  mayReceive,
  maySubscribe,
  topicOf,
  type TopicMatch,
} from '@escale/protocol'
import type { Logger } from 'pino'
import type { Connection, Connections } from './connections.ts'
import { isSentAgain } from './duplicates.ts'
import { createIntake, type Outcome } from './intake.ts'
import { createLanes } from './lanes.ts'
import type { createLogThrottle } from './log-throttle.ts'
import { parsePayload } from './payloads.ts'
import type { BrokerPorts, Received } from './ports.ts'
import { refusal } from './refusal.ts'

type AuthorizePublish = NonNullable<AedesOptions['authorizePublish']>
type Packet = Parameters<AuthorizePublish>[1]
type Done = Parameters<AuthorizePublish>[2]

/** Unsent bytes at which a subscriber is given up before its drain timeout: memory is everybody's. */
const MAX_BACKLOG_BYTES = 8 * 1024 * 1024

export type Routing = 'drop' | 0 | 1

export interface InboundCounts {
  messagesReceived: number
  messagesSent: number
  dropped: number
  skipped: number
}

export interface Inbound {
  authorizePublish: AuthorizePublish
  authorizeSubscribe: NonNullable<AedesOptions['authorizeSubscribe']>
  authorizeForward: NonNullable<AedesOptions['authorizeForward']>
  /** How an accepted packet goes on where not as it came: not at all, or with the QoS of the topic table. */
  routingOf: (packet: object) => Routing | undefined
  counts(): InboundCounts
  /** Takes nothing any more, and resolves when what was being taken is done. */
  stop(): Promise<void>
}

interface InboundParts {
  ports: BrokerPorts
  connections: Connections
  log: Logger
  throttle: ReturnType<typeof createLogThrottle>
  holdMs?: number
}

/** What clients may say and hear: the topic policy, the schemas, and the order of what the server takes in. */
export function createInbound({ ports, connections, log, throttle, holdMs }: InboundParts): Inbound {
  const lanes = createLanes()
  const intake = createIntake({ ports, log, throttle, holdMs })
  // Aedes can only accept a publish or close the connection. A dropped packet is accepted, so that it is
  // acknowledged, and remembered here for the broker's own `publish` to leave out.
  const routing = new WeakMap<object, Routing>()
  const counts: InboundCounts = { messagesReceived: 0, messagesSent: 0, dropped: 0, skipped: 0 }

  function drop(packet: object, done: Done) {
    counts.dropped += 1
    routing.set(packet, 'drop')
    done(null)
  }

  /** No acknowledgement without a commit: what could not be stored ends its connection, and comes again. */
  function settle(outcome: Outcome, connection: Connection | undefined, packet: object, done: Done) {
    if (outcome === 'route') done(null)
    else if (outcome !== 'unstored') drop(packet, done)
    else {
      if (connection) connection.isRevoked = true
      done(new Error('message not stored'))
    }
  }

  /** Hands one message over; a promise only where the port answers with one. */
  function take(message: Received, packet: Packet, connection: Connection | undefined, done: Done) {
    // Asked now: Aedes forgets the will while the message waits for its turn.
    const isDueWill = connection !== undefined && isWill(packet, connection)
    message.isSuperseded = isDueWill && connections.hasNewer(connection)
    const isWanted = () => !connection || isDueWill || !connection.isRevoked
    lanes.run(laneOf(packet.topic), () => {
      const outcome = intake.take(message, isWanted)
      if (typeof outcome !== 'string') return outcome.then((later) => settle(later, connection, packet, done))
      settle(outcome, connection, packet, done)
      return undefined
    })
  }

  function complain(connection: Connection | undefined, topic: string) {
    const heldBack = throttle(connection?.clientId ?? topic)
    if (heldBack === undefined) return
    log.warn({ clientId: connection?.clientId, topic, heldBack }, 'payload outside its schema')
  }

  return {
    authorizePublish(client, packet, done) {
      const connection = client ? connections.of(client) : undefined
      const match = client ? publishableBy(connection, packet.topic) : publishableByNobodyHere(packet.topic)
      if (match?.party === undefined) {
        done(refusal('publish outside the policy', { topic: packet.topic }))
        return
      }
      if (isSweptInError(client, packet)) {
        drop(packet, done)
        return
      }
      if (client && isSentAgain(client, packet)) {
        done(null)
        return
      }
      counts.messagesReceived += 1
      const payload = parsePayload(match.name, packet.payload)
      if (payload === undefined) {
        complain(connection, packet.topic)
        drop(packet, done)
        return
      }
      packet.retain = match.rule.retain
      // The sender's own QoS rules its acknowledgement, the table's what others get.
      if (packet.qos !== match.rule.qos) routing.set(packet, match.rule.qos)
      const message = {
        principal: connection?.principal ?? null,
        name: match.name,
        party: match.party,
        payload,
        ip: connection?.origin.ip ?? '',
        isSuperseded: false,
      } as Received
      take(message, packet, connection, done)
    },

    authorizeSubscribe(client, subscription, done) {
      const connection = connections.of(client)
      const { topic } = subscription
      if (!connection || !maySubscribe(connection.principal.kind, connection.principal.party, topic)) {
        done(refusal('subscription outside the policy', { topic }))
        return
      }
      const { kind, party } = connection.principal
      if (kind !== 'station' || !covers(topic, topicOf('desired', party))) {
        done(null, subscription)
        return
      }
      Promise.resolve()
        .then(() => ports.beforeDesired(party))
        .then(
          () => done(null, subscription),
          (err: unknown) => done(refusal('desired not ready', { topic, err })),
        )
    },

    authorizeForward(client, packet) {
      const connection = connections.of(client)
      if (!connection) return null
      const { kind, party } = connection.principal
      if (!mayReceive(kind, party, packet.topic) || connection.isDuplicate(packet)) return null
      if (client.conn.writableLength > MAX_BACKLOG_BYTES) {
        client.conn.destroy(new Error('too far behind'))
        return null
      }
      // A watcher that does not read misses heartbeats instead of holding up the room.
      if (packet.qos === 0 && client.conn.writableNeedDrain) {
        counts.skipped += 1
        return null
      }
      counts.messagesSent += 1
      return packet
    },

    routingOf: (packet) => routing.get(packet),
    counts: () => ({ ...counts }),
    stop() {
      intake.stop()
      return lanes.idle()
    },
  }
}

/** The row of a topic that this connection may publish on. */
function publishableBy(connection: Connection | undefined, topic: string): TopicMatch | undefined {
  if (!connection) return undefined
  const known = connection.publishable.get(topic)
  if (known) return known
  const { kind, party } = connection.principal
  const match = mayPublish(kind, party, topic) ? matchTopic(topic) : undefined
  if (match) connection.publishable.set(topic, match)
  return match
}

/** The will of a client whose process is gone was checked where it logged in: here its topic decides. */
function publishableByNobodyHere(topic: string): TopicMatch | undefined {
  const match = matchTopic(topic)
  return match && match.rule.publishers.length > 0 ? match : undefined
}

/**
 * Aedes sweeps the wills of brokers not heard for minutes, and a process that was frozen that long counts itself
 * among them: such a will is not due while its client is still here.
 */
function isSweptInError(client: Client | null, packet: Packet): boolean {
  return client !== null && !client.closed && 'brokerId' in packet && packet.brokerId !== undefined
}

function isWill(packet: Packet, connection: Connection): boolean {
  return connection.client.closed && (connection.client as Client & { will?: unknown }).will === packet
}

/** One lane per station or automation: its topics without their last level. */
function laneOf(topic: string): string {
  return topic.slice(0, topic.lastIndexOf('/'))
}
