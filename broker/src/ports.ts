import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ClientKind, TopicName, TopicPayload } from '@escale/protocol'
import type { Logger } from 'pino'
import type { WebSocket } from 'ws'
import type { PlaceLimits } from './places.ts'

/** The identity of a connection after its login. */
export interface Principal {
  kind: ClientKind
  /** Station id, account name, or operator id. */
  id: string
  /** The level that `{stationId}` or `{clientId}` of the topic table must equal: station id, or whole MQTT client id. */
  party: string
  label: string
  /** Unix milliseconds after which the connection is closed. */
  expiresAtMs?: number
  /** Hash of the secret that a machine used, to find its connections when the secret becomes invalid. */
  secretHash?: string
  /** The sign-in of an operator's access token. The connection ends with it. */
  signInId?: string
}

/** The origin of a connection. */
export interface Origin {
  /** IPv4-mapped IPv6 is given as IPv4. */
  ip: string
  transport: 'tcp' | 'tls' | 'ws'
}

export interface Credentials extends Origin {
  username: string
  password: string
  clientId: string
}

/** A message of a client that passed the policy and its schema, by topic name. */
export type Received = {
  [N in TopicName]: {
    /** Null for the will of a client of a dead server process: decide by topic. */
    principal: Principal | null
    name: N
    party: string
    payload: TopicPayload<N>
    /** Empty if `principal` is null. */
    ip: string
    /** The will of a connection that was replaced by a newer one of the same client id. */
    isSuperseded: boolean
  }
}[TopicName]

/** `drop` acknowledges a message without routing or retaining it. */
export type Verdict = 'route' | 'drop'

/** What the broker needs from the rest of the server. */
export interface BrokerPorts {
  /** Undefined refuses the connection. A rejection also refuses it and is logged. */
  authenticate(credentials: Credentials): Promise<Principal | undefined>
  /**
   * Called in the order of sending, one at a time for each station or automation, and awaited before PUBACK: commit
   * inside. Answer synchronously if nothing must be awaited. After a rejection that {@link isTemporary}, the same
   * message is passed again for some seconds; then its connection closes without an acknowledgement. After any other
   * rejection the message is logged and dropped. So processing a message twice must be safe.
   */
  receive(message: Received): Verdict | Promise<Verdict>
  /** Whether a rejection of `receive` is temporary, for example because of a full disk. By default none is. */
  isTemporary?(err: unknown): boolean
  /** Awaited before a station's subscription to its `desired` is granted. A rejection closes the connection. */
  beforeDesired(stationId: string): Promise<void>
  /** Called when a station has subscribed to its `command` topic, so that missed commands can be sent again. */
  listening(stationId: string): Promise<void>
  /** A client has logged in. With several servers, the others get this news. */
  connected?(clientId: string, principal: Principal): void
  /** Unix milliseconds. */
  nowMs(): number
  /**
   * Milliseconds since an instant in which the process was stopped and received nothing. Deadlines do not count them.
   */
  missedSinceMs?(sinceMs: number): number
}

export interface BrokerOptions {
  log: Logger
  /** How long a frozen subscriber may delay others, milliseconds; default 2 000. */
  drainTimeoutMs?: number
  /** Milliseconds between two publications of `$SYS`; default 10 000. */
  sysIntervalMs?: number
  /** Time limit of a TLS handshake, and then of the wait for CONNECT, milliseconds; default 5 000. */
  connectTimeoutMs?: number
  /** Time limit of a login including its wait for others, milliseconds; default 5 000. */
  loginTimeoutMs?: number
  /** How long storing a message is tried again before its connection closes, milliseconds; default 10 000. */
  holdMs?: number
  /**
   * Maximum number of connections without a login; by default it depends on the number of files that the process may
   * open.
   */
  places?: PlaceLimits
}

export interface ListenOptions {
  host: string
  /** 0 takes any free port. */
  port: number
  /** Without it the listener speaks plain TCP. */
  tls?: TlsCertificate
}

/** PEM. */
export interface TlsCertificate {
  key: string | Buffer
  /** The server's own, then those that link it to its authority. */
  cert: string | Buffer
}

export interface BrokerStats {
  clients: number
  messagesReceived: number
  messagesPublished: number
  /** Messages delivered to subscribers, counted once for each. */
  messagesSent: number
  /** Number of topics with a retained message, without `$SYS`. */
  retained: number
  /** Payloads that do not match their schema, and those that `receive` dropped. */
  dropped: number
  /** QoS 0 messages that a subscriber missed because it does not read fast enough. */
  skipped: number
  connectionsRefused: number
  policyViolations: number
}

/**
 * The embedded MQTT broker. The server publishes through it and receives messages through its ports; it is not a client
 * of its own broker.
 */
export interface Broker {
  /**
   * Publishes from the server, with QoS and retain flag from the topic table; messages to one party keep their order.
   * Resolves when every subscriber's socket has it, or the subscriber was disconnected.
   */
  publish<N extends TopicName>(name: N, party: string | undefined, payload: TopicPayload<N>): Promise<void>
  /** Clears the retained documents of a deleted station. */
  clearRetained(stationId: string): Promise<void>
  /** May be called several times, for several listeners. Rejects if the address is not available. */
  listen(options: ListenOptions): Promise<AddressInfo>
  /** Sets the certificate of the TLS listeners for new connections. */
  renewCertificate(certificate: TlsCertificate): void
  /**
   * Serves a WebSocket whose subprotocol `mqtt` the caller has selected. Give the `ws` server a `maxPayload` of {@link
   * WEBSOCKET_MAX_PAYLOAD_BYTES}, because frames are assembled before this broker sees them.
   * @param ip the client's address, which a proxy may have forwarded
   */
  handleWebSocket(socket: WebSocket, ip: string): void
  /** Serves any stream of MQTT packets. */
  handleStream(stream: Duplex, origin: Origin): void
  /**
   * Closes the connections of matching principals at once and returns how many. Their later messages are ignored; their
   * wills, if any, are still passed to `receive`.
   */
  disconnect(matches: (principal: Principal) => boolean): number
  /** Who is connected, once for each connection. */
  principals(): Principal[]
  /**
   * Closes a connection whose client has connected to another broker of the site with the same client id. Its will is
   * not published, because the client is online.
   */
  takeOver(clientId: string, principalId: string): void
  stats(): BrokerStats
  /**
   * Idempotent; takes less than a second. Wills are not published: a stopping server says nothing about its stations.
   */
  close(): Promise<void>
}

/** Largest MQTT packet after login, bytes, and therefore the largest useful WebSocket message. */
export const WEBSOCKET_MAX_PAYLOAD_BYTES = 256 * 1024
