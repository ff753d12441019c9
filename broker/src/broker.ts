import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Server } from 'node:net'
import { Aedes, type Client } from 'aedes'
import { covers, topicOf } from '@escale/protocol'
import { createConnections } from './connections.ts'
import { createDeadlines } from './deadlines.ts'
import { disableDuplicateCounters } from './duplicates.ts'
import { createEndings } from './endings.ts'
import { deliverAsGranted } from './granted-qos.ts'
import { guardConnection } from './guard.ts'
import { keepIdsInFlight, MAX_QOS2_IN_FLIGHT } from './in-flight.ts'
import { createInbound } from './inbound.ts'
import { addressOf, openListener, renewListener } from './listeners.ts'
import { createLogThrottle } from './log-throttle.ts'
import { createLogin } from './login.ts'
import { createOutgoing } from './outgoing.ts'
import { createPatience } from './patience.ts'
import type { Broker, BrokerOptions, BrokerPorts, Origin } from './ports.ts'
import { lookUpRetained } from './retained-lookup.ts'
import { routeByTable } from './route-by-table.ts'
import { createStrangers, strangerLimits } from './strangers.ts'
import { publishSysFigures } from './sys-figures.ts'
import { mqttStreamOf } from './websocket-stream.ts'
import { enforceWireRules } from './wire-rules.ts'

const DEFAULT_DRAIN_TIMEOUT_MS = 2_000
const DEFAULT_CONNECT_TIMEOUT_MS = 5_000
const DEFAULT_LOGIN_TIMEOUT_MS = 5_000
/** How long a stop waits for messages that are being taken in. */
const CLOSE_TIMEOUT_MS = 500

const UNKNOWN_ORIGIN: Origin = { ip: '', transport: 'tcp' }

/** Starts the broker, without any listener yet: publish what is retained first, then {@link Broker.listen}. */
export async function createBroker(ports: BrokerPorts, options: BrokerOptions): Promise<Broker> {
  const { log } = options
  const throttle = createLogThrottle(() => ports.nowMs())
  const origins = new WeakMap<object, Origin>()
  const streams = new Set<Duplex>()
  const servers: Server[] = []
  const connections = createConnections(() => ports.nowMs())
  const hasPaused = (withinMs: number) => (ports.missedSinceMs?.(ports.nowMs() - withinMs) ?? 0) > 0
  const inbound = createInbound({
    ports,
    connections,
    log,
    throttle,
    holdMs: options.holdMs,
    hasPaused,
    say: (name, party, answer) => outgoing.publish(name, party, answer),
  })
  const originOf = (client: Client) => origins.get(client.conn) ?? UNKNOWN_ORIGIN
  const endings = createEndings({ log, throttle, connections, originOf })
  let closing: Promise<void> | undefined

  const drainTimeoutMs = options.drainTimeoutMs ?? DEFAULT_DRAIN_TIMEOUT_MS
  const connectTimeoutMs = options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS
  const loginTimeoutMs = options.loginTimeoutMs ?? DEFAULT_LOGIN_TIMEOUT_MS
  const deadline = createDeadlines(ports)
  const patience = createPatience({ deadline, hasPaused, connectTimeoutMs, drainTimeoutMs })
  const login = createLogin({ ports, connections, originOf, deadline, loginTimeoutMs })
  const strangers = createStrangers(options.strangers ?? strangerLimits(), endings.turnedAway)
  /** To be called once a client is no stranger any more. */
  const known = new WeakMap<Client, () => void>()

  const aedes = new Aedes({
    ...login,
    preConnect(client, packet, callback) {
      patience.keepAlive(client, packet)
      login.preConnect(client, packet, callback)
    },
    authorizePublish: inbound.authorizePublish,
    authorizeSubscribe: inbound.authorizeSubscribe,
    authorizeForward: inbound.authorizeForward,
    drainTimeout: drainTimeoutMs,
    maxInflightInbound: MAX_QOS2_IN_FLIGHT,
    // No common limit on messages under way: a frozen subscriber would use it up and stop everybody.
    concurrency: 0,
  })
  const outgoing = createOutgoing(aedes)
  const retained = routeByTable(aedes, inbound.routingOf)
  await aedes.listen()
  lookUpRetained(aedes)
  keepIdsInFlight(aedes)

  const events: EventEmitter = aedes
  events.on('error', (err: unknown) => log.error({ err }, 'broker error'))
  aedes.on('clientError', endings.ended)
  aedes.on('connectionError', endings.ended)
  aedes.on('clientReady', (client) => {
    known.get(client)?.()
    const connection = connections.of(client)
    if (!connection) return
    log.debug({ clientId: connection.clientId, ...connection.origin }, 'mqtt client connected')
    if (client.closed) return
    ports.connected?.(connection.clientId, connection.principal)
    // Aedes takes over by client id itself, but loses track of a client whose end overlaps with its successor.
    for (const other of connections.ofUsername(connection.username)) {
      // Those that follow are younger, and on their way to take over from this one.
      if (other === connection) break
      if (other.clientId === connection.clientId) other.client.conn.destroy()
    }
  })

  aedes.on('unsubscribe', (topics, client) => {
    for (const topic of topics) connections.of(client)?.filters.delete(topic)
  })
  aedes.on('subscribe', (subscriptions, client) => {
    const principal = connections.of(client)?.principal
    if (principal?.kind !== 'station') return
    const topic = topicOf('command', principal.party)
    // 128 is a subscription refused. Source: MQTT 3.1.1 section 3.9.3.
    if (!subscriptions.some((one) => one.qos <= 2 && covers(one.topic, topic))) return
    ports.listening(principal.party).catch((err: unknown) => log.error({ err, topic }, 'nothing sent again'))
  })

  function handleStream(
    stream: Duplex,
    origin: Origin,
    becomeKnown = strangers.admit(origin.ip, () => stream.destroy()),
  ) {
    if (closing || !becomeKnown) {
      becomeKnown?.()
      stream.destroy()
      return
    }
    origins.set(stream, origin)
    streams.add(stream)
    stream.once('close', () => {
      streams.delete(stream)
      becomeKnown()
    })
    const client = aedes.handle(stream)
    known.set(client, becomeKnown)
    enforceWireRules(client)
    guardConnection(client, deadline)
    patience.expectConnect(client)
    disableDuplicateCounters(client)
    deliverAsGranted(client)
  }

  const stats = () => {
    const [taken, ended] = [inbound.counts(), endings.counts()]
    return {
      clients: connections.count(),
      retained: retained.size,
      messagesPublished: outgoing.count(),
      ...taken,
      connectionsRefused: ended.connectionsRefused,
      policyViolations: ended.policyViolations + taken.policyViolations,
    }
  }
  const stopFigures = publishSysFigures({
    stats,
    publish: (packet) => aedes.publish(packet, () => undefined),
    nowMs: () => ports.nowMs(),
    intervalMs: options.sysIntervalMs,
  })

  async function shutDown() {
    stopFigures()
    const taken = inbound.stop()
    for (const server of servers) server.close()
    for (const stream of streams) stream.destroy()
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
    })
    await Promise.race([taken, timeout])
    clearTimeout(timer)
    await new Promise<void>((resolve) => aedes.close(resolve))
  }

  return {
    publish: outgoing.publish,
    clearRetained: outgoing.clearRetained,
    async listen(listenOptions) {
      const server = await openListener(listenOptions, {
        accept: handleStream,
        strangers,
        deadline,
        handshakeTimeoutMs: connectTimeoutMs,
        failed: (err, during, ip) => {
          if (during === 'handshake') endings.failed(ip, err)
          else log.error({ err }, 'mqtt listener error')
        },
      })
      servers.push(server)
      if (closing) server.close()
      return addressOf(server)
    },
    renewCertificate(certificate) {
      for (const server of servers) renewListener(server, certificate)
    },
    handleWebSocket(socket, ip) {
      handleStream(mqttStreamOf(socket), { ip, transport: 'ws' })
    },
    handleStream: (stream, origin) => handleStream(stream, origin),
    disconnect(matches) {
      const chosen = [...connections.all()].filter(({ principal }) => matches(principal))
      for (const connection of chosen) {
        connection.isRevoked = true
        connection.client.conn.destroy()
      }
      return chosen.length
    },
    principals: () => [...connections.all()].map(({ principal }) => principal),
    takeOver(clientId, principalId) {
      for (const { client, principal, clientId: held } of connections.all()) {
        if (held !== clientId || principal.id !== principalId) continue
        withoutWill(client)
        client.conn.destroy()
      }
    },
    stats,
    close: () => (closing ??= shutDown()),
  }
}

/** Aedes looks for a will when a connection closes; its types do not show where. */
function withoutWill(client: Client): void {
  ;(client as Client & { will?: unknown }).will = undefined
}
