import { Aedes, type Client } from 'aedes'
import pTimeout from 'p-timeout'
import { followClients } from './client-events.ts'
import { createClientTimeouts, type ClientTimeouts } from './client-timeouts.ts'
import { createConnectionEnds } from './connection-ends.ts'
import { createConnections } from './connections.ts'
import { createDeadlines } from './deadlines.ts'
import { keepIdsInFlight, MAX_QOS2_IN_FLIGHT } from './in-flight.ts'
import { createInbound, type Inbound } from './inbound.ts'
import { createListeners } from './listeners.ts'
import { createLogThrottle } from './log-throttle.ts'
import { createLogin, type Login } from './login.ts'
import { createOutgoing } from './outgoing.ts'
import { createPlaces, placesForUnknown } from './places.ts'
import type { Broker, BrokerOptions, BrokerPorts, BrokerStats, Origin } from './ports.ts'
import { lookUpRetained } from './retained-lookup.ts'
import { routeByTable } from './route-by-table.ts'
import { createStreams } from './streams.ts'
import { turnAway } from './turn-away.ts'
import { publishSysMetrics } from './sys-metrics.ts'
import { mqttStreamOf } from './websocket-stream.ts'

const DEFAULT_TIMEOUTS = { drainTimeoutMs: 2_000, connectTimeoutMs: 5_000, loginTimeoutMs: 5_000 }
/** How long a stop waits for messages in progress. */
const CLOSE_TIMEOUT_MS = 500

const UNKNOWN_ORIGIN: Origin = { ip: '', transport: 'tcp' }

/** Starts the broker without listeners. Publish the retained messages first, then call {@link Broker.listen}. */
export async function createBroker(ports: BrokerPorts, options: BrokerOptions): Promise<Broker> {
  const { log } = options
  const nowMs = () => ports.nowMs()
  const throttle = createLogThrottle(nowMs)
  const connections = createConnections(nowMs)
  const hasPaused = (withinMs: number) => (ports.missedSinceMs?.(nowMs() - withinMs) ?? 0) > 0
  const { drainTimeoutMs, connectTimeoutMs, loginTimeoutMs } = { ...DEFAULT_TIMEOUTS, ...options }

  const origins = new WeakMap<object, Origin>()
  const originOf = ({ conn }: Client) => origins.get(conn) ?? UNKNOWN_ORIGIN
  const ends = createConnectionEnds({ log, throttle, connections, originOf })
  const limits = options.places ?? placesForUnknown()
  const places = createPlaces(limits, ends.turnedAway)
  // One address has as many places before its CONNECT as for its logins in progress.
  const loginPlaces = createPlaces({ perGroup: limits.perGroup }, ends.turnedAway)
  const deadline = createDeadlines(ports)
  const timeouts = createClientTimeouts({ deadline, hasPaused, connectTimeoutMs, drainTimeoutMs })
  const login = createLogin({ ports, connections, originOf, deadline, loginTimeoutMs })
  const inbound = createInbound({
    ...{ ports, connections, log, throttle, hasPaused },
    holdMs: options.holdMs,
    opened: login.opened,
    publishAnswer: (name, party, answer) => outgoing.publish(name, party, answer),
  })

  const aedes = await openAedes({ login, timeouts, inbound, drainTimeoutMs })
  const outgoing = createOutgoing(aedes)
  const countRetained = lookUpRetained(aedes)
  const streams = createStreams({
    ...{ aedes, places, loginPlaces, deadline, timeouts, connectTimeoutMs, origins },
    hasRoom: login.hasRoom,
    failed: ends.failed,
  })
  followClients(aedes, { ports, connections, log, loggedIn: streams.loggedIn, ended: ends.ended })
  const listeners = createListeners({
    ...{ places, deadline, accept: streams.accept, failed: ends.failed, turnAway },
    handshakeTimeoutMs: connectTimeoutMs,
  })

  function stats(): BrokerStats {
    const [taken, ended] = [inbound.counts(), ends.counts()]
    return {
      ...{ clients: connections.count(), retained: countRetained(), messagesPublished: outgoing.count() },
      ...taken,
      connectionsRefused: ended.connectionsRefused,
      // Counted where they are refused and where they close a connection.
      policyViolations: ended.policyViolations + taken.policyViolations,
    }
  }
  const stopMetrics = publishSysMetrics(aedes, stats, nowMs, options.sysIntervalMs)

  let closing: Promise<void> | undefined
  async function shutDown() {
    stopMetrics()
    const taken = inbound.stop()
    listeners.close()
    streams.close()
    await pTimeout(taken, { milliseconds: CLOSE_TIMEOUT_MS, fallback: () => undefined })
    await new Promise<void>((resolve) => aedes.close(resolve))
  }

  return {
    publish: outgoing.publish,
    clearRetained: outgoing.clearRetained,
    listen: listeners.open,
    renewCertificate: listeners.renew,
    handleWebSocket: (socket, ip) => streams.accept(mqttStreamOf(socket), { ip, transport: 'ws' }),
    handleStream: (stream, origin) => streams.accept(stream, origin),
    disconnect: connections.revoke,
    principals: () => [...connections.all()].map(({ principal }) => principal),
    takeOver: connections.takeOver,
    stats,
    close: () => (closing ??= shutDown()),
  }
}

interface Hooks {
  login: Login
  timeouts: ClientTimeouts
  inbound: Inbound
  drainTimeoutMs: number
}

/** Aedes with our decisions in its hooks, and with corrections where its own behaviour is wrong. */
async function openAedes({ login, timeouts, inbound, drainTimeoutMs }: Hooks): Promise<Aedes> {
  const aedes = new Aedes({
    preConnect(client, packet, callback) {
      timeouts.keepAlive(client, packet)
      login.preConnect(client, packet, callback)
    },
    authenticate: login.authenticate,
    ...inbound.hooks,
    drainTimeout: drainTimeoutMs,
    maxInflightInbound: MAX_QOS2_IN_FLIGHT,
    // No common limit for messages in progress: one frozen subscriber would use it up and block all clients.
    concurrency: 0,
  })
  await aedes.listen()
  keepIdsInFlight(aedes)
  routeByTable(aedes, inbound.routingOf)
  return aedes
}
