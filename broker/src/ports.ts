import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ClientKind, TopicName, TopicPayload } from '@escale/protocol'
import type { Logger } from 'pino'
import type { WebSocket } from 'ws'
import type { PlaceLimits } from './places.ts'

/** Who a connection speaks for, once its credentials are accepted. */
export interface Principal {
  kind: ClientKind
  /** Station id, account name, or operator id. */
  id: string
  /** The level that `{stationId}` or `{clientId}` of the topic table must equal: station id, or whole MQTT client id. */
  party: string
  label: string
  /** Unix milliseconds after which the connection is closed. */
  expiresAtMs?: number
  /** What a machine showed, hashed: tells its connections apart once that opens nothing any more. */
  secretHash?: string
  /** The sign-in that an operator's access token was issued under, and ends with. */
  signInId?: string
}

/** Where a connection comes from. */
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
    /** Null for the will of a client whose server process is gone: decide by topic. */
    principal: Principal | null
    name: N
    party: string
    payload: TopicPayload<N>
    /** Empty where `principal` is null. */
    ip: string
    /** The will of a connection that a newer one of the same client id has taken over. */
    isSuperseded: boolean
  }
}[TopicName]

/** `drop` acknowledges a message without routing or retaining it. */
export type Verdict = 'route' | 'drop'

/** What the broker asks of the rest of the server. */
export interface BrokerPorts {
  /** Undefined refuses the connection. A rejection refuses it too and is logged. */
  authenticate(credentials: Credentials): Promise<Principal | undefined>
  /**
   * Called in the order sent, one at a time per station or automation, and awaited before PUBACK: commit inside.
   * Answer synchronously where nothing is awaited. After a rejection that {@link isTemporary} the same message is
   * handed over again, for some seconds; then its connection closes without an acknowledgement. Any other rejection
   * is logged and drops. So whatever is done here must be safe to do twice.
   */
  receive(message: Received): Verdict | Promise<Verdict>
  /** Whether what `receive` rejected with may pass by itself, as a full disk does; by default nothing does. */
  isTemporary?(err: unknown): boolean
  /** Awaited before a station's subscription to its `desired` is granted. A rejection closes the connection. */
  beforeDesired(stationId: string): Promise<void>
  /** Told once a station's subscription to its `command` stands: what it missed may be sent again. */
  listening(stationId: string): Promise<void>
  /** A client is let in: where several brokers serve one site, the others hear of it from here. */
  connected?(clientId: string, principal: Principal): void
  /** Unix milliseconds. */
  nowMs(): number
  /** Milliseconds since an instant in which the process stood still and heard nobody; deadlines leave them out. */
  missedSinceMs?(sinceMs: number): number
}

export interface BrokerOptions {
  log: Logger
  /** How long one frozen subscriber may hold up what it subscribes to, milliseconds; default 2 000. */
  drainTimeoutMs?: number
  /** Milliseconds between two publications of `$SYS`; default 10 000. */
  sysIntervalMs?: number
  /** How long a TLS handshake may take, and then a CONNECT be waited for, milliseconds; default 5 000. */
  connectTimeoutMs?: number
  /** How long a login may take, its wait for others included, milliseconds; default 5 000. */
  loginTimeoutMs?: number
  /** How long a message that cannot be stored is tried again before its connection closes, milliseconds; default 10 000. */
  holdMs?: number
  /** How many connections may be open that nobody has logged in on; by default as this process may open files. */
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
  /** Handed to subscribers, each counted. */
  messagesSent: number
  /** Topics with a retained message, as this broker has seen them come and go; its own figures aside. */
  retained: number
  /** Payloads outside their schema, and what `receive` dropped. */
  dropped: number
  /** QoS 0 messages that a subscriber missed because it does not read fast enough. */
  skipped: number
  connectionsRefused: number
  policyViolations: number
}

/** The embedded MQTT broker. The server speaks through it and listens in its ports; it is no client of its own. */
export interface Broker {
  /**
   * Publishes from the server, with QoS and retain from the topic table; messages to one party keep their order.
   * Resolves once every subscriber has it in its socket, or is given up.
   */
  publish<N extends TopicName>(name: N, party: string | undefined, payload: TopicPayload<N>): Promise<void>
  /** Forgets the retained documents of a deleted station. */
  clearRetained(stationId: string): Promise<void>
  /** May be called several times, for several listeners. Rejects when the address cannot be had. */
  listen(options: ListenOptions): Promise<AddressInfo>
  /** What the TLS listeners show from now on; connections that stand go on. */
  renewCertificate(certificate: TlsCertificate): void
  /**
   * Takes a WebSocket whose subprotocol `mqtt` the caller has selected. Give the `ws` server a `maxPayload` of
   * {@link WEBSOCKET_MAX_PAYLOAD_BYTES}: frames are assembled before this broker sees them.
   * @param ip the client's address, which a proxy may have forwarded
   */
  handleWebSocket(socket: WebSocket, ip: string): void
  /** Takes any stream of MQTT packets. */
  handleStream(stream: Duplex, origin: Origin): void
  /**
   * Closes the connections of matching principals at once and returns how many. Nothing more of theirs is taken;
   * their wills, if any, still pass through `receive`.
   */
  disconnect(matches: (principal: Principal) => boolean): number
  /** Who is connected, once for each connection. */
  principals(): Principal[]
  /**
   * Closes a connection whose client has connected to another broker of the site with the same client id. Its will is
   * not sent: the client is there.
   */
  takeOver(clientId: string, principalId: string): void
  stats(): BrokerStats
  /** Idempotent, under a second. Wills are not sent: a server that stops says nothing about its stations. */
  close(): Promise<void>
}

/** Largest MQTT packet after login, bytes, and therefore the largest useful WebSocket message. */
export const WEBSOCKET_MAX_PAYLOAD_BYTES = 256 * 1024
