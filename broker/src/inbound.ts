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
import { createLanes } from './lanes.ts'
import type { createLogThrottle } from './log-throttle.ts'
import { parsePayload } from './payloads.ts'
import type { BrokerPorts, Received, Verdict } from './ports.ts'
import { refusal } from './refusal.ts'

type AuthorizePublish = NonNullable<AedesOptions['authorizePublish']>
type Packet = Parameters<AuthorizePublish>[1]
type Done = Parameters<AuthorizePublish>[2]

export interface InboundCounts {
  messagesReceived: number
  dropped: number
  skipped: number
}

export interface Inbound {
  authorizePublish: AuthorizePublish
  authorizeSubscribe: NonNullable<AedesOptions['authorizeSubscribe']>
  authorizeForward: NonNullable<AedesOptions['authorizeForward']>
  /** Whether a packet was acknowledged but must go no further. */
  isDropped: (packet: object) => boolean
  counts(): InboundCounts
  /** Takes nothing any more, and resolves when what was being taken is done. */
  stop(): Promise<void>
}

interface InboundParts {
  ports: BrokerPorts
  connections: Connections
  log: Logger
  throttle: ReturnType<typeof createLogThrottle>
}

/** What clients may say and hear: the topic policy, the schemas, and the order of what the server takes in. */
export function createInbound({ ports, connections, log, throttle }: InboundParts): Inbound {
  const lanes = createLanes()
  // Aedes can only accept a publish or close the connection. A dropped packet is accepted, so that it is
  // acknowledged, and remembered here for the broker's own `publish` to leave out.
  const dropped = new WeakSet<object>()
  const counts: InboundCounts = { messagesReceived: 0, dropped: 0, skipped: 0 }
  let isStopped = false

  function drop(packet: object, done: Done) {
    counts.dropped += 1
    dropped.add(packet)
    done(null)
  }

  function settle(verdict: Verdict, packet: object, done: Done) {
    if (verdict === 'route') done(null)
    else drop(packet, done)
  }

  /** Hands one message over; a promise only where the port answers with one. */
  function take(message: Received, packet: Packet, connection: Connection | undefined, done: Done) {
    // Left unacknowledged, the message is sent again to the server's next run.
    if (isStopped || (connection?.isRevoked === true && !isWill(packet, connection))) {
      done(new Error('connection is being closed'))
      return undefined
    }

    const failed = (err: unknown) => {
      log.error({ err, topic: packet.topic }, 'message not taken')
      drop(packet, done)
    }
    let answer: Verdict | Promise<Verdict>
    try {
      answer = ports.receive(message)
    } catch (err) {
      failed(err)
      return undefined
    }
    if (typeof answer !== 'string') return answer.then((verdict) => settle(verdict, packet, done), failed)
    settle(answer, packet, done)
    return undefined
  }

  function complain(connection: Connection | undefined, topic: string) {
    const heldBack = throttle(connection?.clientId ?? topic)
    if (heldBack === undefined) return
    log.warn({ clientId: connection?.clientId, topic, heldBack }, 'payload outside its schema')
  }

  return {
    authorizePublish(client, packet, done) {
      const connection = client ? connections.of(client) : undefined
      const match = matchTopic(packet.topic)
      if (!isAllowed(client, connection, packet.topic, match) || match?.party === undefined) {
        done(refusal('publish outside the policy', { topic: packet.topic }))
        return
      }
      if (isSweptInError(client, packet)) {
        drop(packet, done)
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
      const message = {
        principal: connection?.principal ?? null,
        name: match.name,
        party: match.party,
        payload,
        ip: connection?.origin.ip ?? '',
      } as Received
      lanes.run(laneOf(packet.topic), () => take(message, packet, connection, done))
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
      if (!mayReceive(kind, party, packet.topic)) return null
      // A watcher that does not read misses heartbeats instead of holding up the room.
      if (packet.qos === 0 && client.conn.writableNeedDrain) {
        counts.skipped += 1
        return null
      }
      return packet
    },

    isDropped: (packet) => dropped.has(packet),
    counts: () => ({ ...counts }),
    stop() {
      isStopped = true
      return lanes.idle()
    },
  }
}

function isAllowed(
  client: Client | null,
  connection: Connection | undefined,
  topic: string,
  match: TopicMatch | undefined,
): boolean {
  // The will of a client whose process is gone was checked where it logged in: here its topic decides.
  if (!client) return match !== undefined && match.rule.publishers.length > 0
  return connection !== undefined && mayPublish(connection.principal.kind, connection.principal.party, topic)
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
