import { covers, topicOf } from '@escale/protocol'
import type { Aedes, Client } from 'aedes'
import type { EventEmitter } from 'node:events'
import type { Logger } from 'pino'
import type { Connection, Connections } from './connections.ts'
import type { BrokerPorts } from './ports.ts'

interface ClientEventsParts {
  ports: Pick<BrokerPorts, 'connected' | 'listening'>
  connections: Connections
  log: Logger
  loggedIn(client: Client): void
  ended(client: Client, err: Error): void
}

/** Handles the events of Aedes about its clients: login, subscription and end. */
export function followClients(aedes: Aedes, parts: ClientEventsParts): void {
  const { ports, connections, log, loggedIn, ended } = parts
  const events: EventEmitter = aedes
  events.on('error', (err: unknown) => log.error({ err }, 'broker error'))
  aedes.on('clientError', ended)
  aedes.on('connectionError', ended)
  aedes.on('clientReady', (client) => {
    loggedIn(client)
    const connection = connections.of(client)
    if (!connection) return
    log.debug({ clientId: connection.clientId, ...connection.origin }, 'mqtt client connected')
    if (client.closed) return
    ports.connected?.(connection.clientId, connection.principal)
    closeOlder(connection, connections)
  })

  aedes.on('unsubscribe', (topics, client) => {
    for (const topic of topics) connections.of(client)?.filters.delete(topic)
  })
  aedes.on('subscribe', (subscriptions, client) => {
    const principal = connections.of(client)?.principal
    if (principal?.kind !== 'station') return
    const topic = topicOf('command', principal.party)
    // 128 means a refused subscription. Source: MQTT 3.1.1 section 3.9.3.
    if (!subscriptions.some((one) => one.qos <= 2 && covers(one.topic, topic))) return
    ports
      .listening(principal.party)
      .catch((err: unknown) => log.error({ err, topic }, 'open commands not sent again'))
  })
}

/**
 * Closes older connections of the same client id. Aedes does that too, but it loses track of a client that ends while
 * its successor connects.
 */
function closeOlder(connection: Connection, connections: Connections): void {
  for (const other of connections.ofUsername(connection.username)) {
    // Later entries are newer connections, which will close this one.
    if (other === connection) return
    if (other.clientId === connection.clientId) other.client.conn.destroy()
  }
}
