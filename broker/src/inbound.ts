import type { AedesOptions, Client } from 'aedes'
import { covers, mayReceive, topicOf } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Connection, Connections } from './connections.ts'
import { isSentAgain } from './duplicates.ts'
import { createIntake } from './intake.ts'
import { createLanes } from './lanes.ts'
import type { LogThrottle } from './log-throttle.ts'
import { idOf, parsePayload, type PayloadFault } from './payloads.ts'
import {
  isAccount,
  publishableBy,
  publishableByNobodyHere,
  refusalOfFilter,
  type OwnTopic,
} from './policy.ts'
import type { BrokerPorts, Received } from './ports.ts'
import { refusal } from './refusal.ts'
import { createRefusalAnswers, cut, type PublishAnswer } from './refusal-answers.ts'
import { createHandover, laneOf, type Done, type Packet } from './handover.ts'

/**
 * With this many unsent bytes a subscriber is disconnected before its drain timeout, because all clients share the
 * memory.
 */
const MAX_BACKLOG_BYTES = 8 * 1024 * 1024

type Routing = 'drop' | 0 | 1

export type Inbound = ReturnType<typeof createInbound>

interface InboundParts {
  ports: BrokerPorts
  connections: Connections
  log: Logger
  throttle: LogThrottle
  publishAnswer: PublishAnswer
  holdMs?: number
  /** Whether the process was stopped in the last milliseconds, this many. */
  hasPaused(withinMs: number): boolean
  /** A station's report was processed. */
  opened(client: Client): void
}

/**
 * Controls what clients may publish and receive: the topic policy, the schemas, and the order in which the server
 * processes messages.
 */
export function createInbound(parts: InboundParts) {
  const { ports, connections, log, throttle } = parts
  const lanes = createLanes()
  const intake = createIntake(parts)
  const answers = createRefusalAnswers(parts.publishAnswer)
  // Aedes can only accept a publish or close the connection. A dropped packet is accepted, so that it is acknowledged,
  // and marked here so that the broker's own `publish` ignores it.
  const routing = new WeakMap<object, Routing>()
  const handOver = createHandover({ ...parts, intake, lanes, answers, drop })
  const counts = { messagesReceived: 0, messagesSent: 0, dropped: 0, skipped: 0, policyViolations: 0 }

  function drop(packet: object, done: Done) {
    counts.dropped += 1
    routing.set(packet, 'drop')
    done(null)
  }

  /** Sends the reason to the client, in the order of its answers, and drops its message. */
  function refuse(packet: Packet, done: Done, lane: string, tell: () => Promise<void>) {
    lanes.run(lane, () => tell().then(() => drop(packet, done)))
  }

  /** Once a minute for each client. */
  function complain(what: string, clientId: string | undefined, topic: string) {
    const heldBack = throttle(`${what} ${clientId ?? topic}`)
    if (heldBack !== undefined) log.warn({ clientId, topic: cut(topic), heldBack }, what)
  }

  /** An account gets the reason instead of losing its connection. */
  function forbid(connection: Connection, packet: Packet, done: Done) {
    const { client, clientId } = connection
    if (isSentAgain(client, packet)) {
      done(null)
      return
    }
    counts.policyViolations += 1
    complain('publish outside the policy', clientId, packet.topic)
    const id = idOf(packet.payload)
    refuse(packet, done, clientId, () => answers.forbid(connection, packet.topic, id))
  }

  function refusePayload({ name, party }: OwnTopic, fault: PayloadFault, packet: Packet, done: Done) {
    if (name === 'automationRequest' || (name === 'request' && fault.id !== undefined))
      refuse(packet, done, laneOf(packet.topic), () => answers.refuse(name, party, fault.code, fault.id))
    else drop(packet, done)
  }

  const hooks = {
    authorizePublish(client, packet, done) {
      const connection = client ? connections.of(client) : undefined
      const match = client ? publishableBy(connection, packet.topic) : publishableByNobodyHere(packet.topic)
      if (!match) {
        if (connection && isAccount(connection)) forbid(connection, packet, done)
        else done(refusal('publish outside the policy', { topic: cut(packet.topic) }))
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
      const parsed = parsePayload(match.name, packet.payload)
      if ('fault' in parsed) {
        complain('payload outside its schema', connection?.clientId, packet.topic)
        refusePayload(match, parsed.fault, packet, done)
        return
      }
      if (parsed.rewritten) packet.payload = parsed.rewritten
      packet.retain = match.rule.retain
      // The QoS of the sender decides its acknowledgement; the QoS of the topic table decides the delivery.
      if (packet.qos !== match.rule.qos) routing.set(packet, match.rule.qos)
      const message = {
        principal: connection?.principal ?? null,
        name: match.name,
        party: match.party,
        payload: parsed.payload,
        ip: connection?.origin.ip ?? '',
        isSuperseded: false,
      } as Received
      handOver(message, { packet, connection, done })
    },

    authorizeSubscribe(client, subscription, done) {
      const connection = connections.of(client)
      const { topic } = subscription
      const reason = connection ? refusalOfFilter(connection, topic) : 'subscription outside the policy'
      if (!connection || reason !== undefined) {
        if (connection && isAccount(connection)) {
          counts.policyViolations += 1
          complain(reason ?? '', connection.clientId, topic)
          done(null, null)
        } else done(refusal(reason ?? '', { topic: cut(topic) }))
        return
      }
      connection.filters.add(topic)
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
      // A subscriber that does not read misses heartbeats instead of delaying the others.
      if (packet.qos === 0 && client.conn.writableNeedDrain) {
        counts.skipped += 1
        return null
      }
      counts.messagesSent += 1
      return packet
    },
  } satisfies Partial<AedesOptions>

  return {
    hooks,
    /** How an accepted packet is changed: dropped, or with the QoS of the topic table. */
    routingOf: (packet: object) => routing.get(packet),
    counts: () => ({ ...counts }),
    /** Accepts no more messages; resolves when those in progress are done. */
    stop(): Promise<void> {
      intake.stop()
      return lanes.idle()
    },
  }
}

/**
 * Aedes publishes the wills of brokers that were silent for minutes. A process that was stopped that long treats itself
 * as such a broker. Such a will must not be published while its client is connected.
 */
function isSweptInError(client: Client | null, packet: Packet): boolean {
  return client !== null && !client.closed && 'brokerId' in packet && packet.brokerId !== undefined
}
