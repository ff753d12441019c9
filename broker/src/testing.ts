import { duplexPair, type Duplex } from 'node:stream'
import { topicOf, type TopicName } from '@escale/protocol'
import { generate, parser, type IConnectPacket, type Packet } from 'mqtt-packet'
import { pino } from 'pino'
import { createBroker } from './broker.ts'
import type { Broker, BrokerOptions, BrokerPorts, Principal, Received } from './ports.ts'

const AT = '2026-01-01T08:00:00.000Z'

/** A valid payload for each topic. */
export const samples: Record<TopicName, object> = {
  presence: {
    online: true,
    cause: 'birth',
    bootId: 'b1',
    agentVersion: '1.0.0',
    hostname: 'pc-01',
    os: 'Debian 13',
    ipAddress: '192.0.2.1',
    macAddress: '02:00:00:00:00:01',
  },
  heartbeat: {
    bootId: 'b1',
    seq: 1,
    uptimeSeconds: 5,
    state: 'locked',
    cpuPercent: 1,
    memoryPercent: 2,
    diskPercent: 3,
  },
  desired: { version: 1, state: 'locked', sentAt: AT },
  reported: { version: 1, state: 'locked', bootId: 'b1', appliedAt: AT },
  request: { id: 'r1', op: 'time', params: {} },
  response: { id: 'r1', ok: true, data: {} },
  command: { id: 'c1', op: 'identify', params: {}, expiresAt: AT },
  ack: { id: 'c1', status: 'applied', at: AT },
  events: { bootId: 'b1', seq: 1, at: AT, kind: 'cleaned', details: {} },
  config: {
    heartbeatIntervalMs: 10_000,
    warningsSeconds: [300],
    maxSuspendedMinutes: 30,
    language: 'fr',
    branding: { siteName: 'Essai' },
    terms: '',
  },
  domainEvent: { kind: 'session.started', at: AT, details: {} },
  automationRequest: { id: 'r1', op: 'time', params: {} },
  automationResponse: { id: 'r1', ok: true, data: {} },
}

/**
 * Builds a valid or invalid packet: its first byte, its length, then the fields; texts get a length prefix.
 * Source: MQTT 3.1.1 sections 1.5.3 and 2.2
 */
export function frame(firstByte: number, ...parts: (number | string | Uint8Array)[]): Uint8Array {
  const body = parts.flatMap((part) => {
    if (typeof part === 'number') return [part]
    const bytes = Buffer.from(part)
    return typeof part === 'string' ? [bytes.length >> 8, bytes.length & 255, ...bytes] : [...bytes]
  })
  return Uint8Array.from([...head(firstByte, body.length), ...body])
}

/** The header of a packet with its remaining length (MQTT 3.1.1 section 2.2.3). */
export function head(firstByte: number, lengthBytes: number): Uint8Array {
  const bytes = [firstByte]
  for (let left = lengthBytes; ; left = Math.floor(left / 128)) {
    if (left < 128) return Uint8Array.from([...bytes, left])
    bytes.push((left % 128) | 128)
  }
}

/** A client that sends exactly the packets that a test wants. */
export interface RawClient {
  send(packet: Packet): void
  write(bytes: Uint8Array): void
  /** The next packet of one of these kinds; undefined once the connection is closed. */
  next(...commands: Packet['cmd'][]): Promise<Packet | undefined>
  /** Resolves when the broker closes the connection. */
  closed: Promise<void>
  /** Publishes with QoS 1; true if it was acknowledged, false if the connection closed. */
  publish(topic: string, payload: object | string, flags?: { retain?: boolean }): Promise<boolean>
  /** True if every filter was granted, false if the connection closed. */
  subscribe(...topics: string[]): Promise<boolean>
  /** Resolves when all packets that were on their way to the client have arrived. */
  settled(): Promise<boolean>
  /** Breaks the connection without a DISCONNECT. */
  cut(): void
  /** Every PUBLISH received so far. */
  messages: { topic: string; payload: string; qos: number; retain: boolean }[]
}

export function rawClient(stream: Duplex): RawClient {
  const incoming: Packet[] = []
  const messages: RawClient['messages'] = []
  let isClosed = false
  let waiting = Promise.withResolvers<undefined>()
  let messageId = 0
  const wake = () => {
    waiting.resolve(undefined)
    waiting = Promise.withResolvers()
  }
  const packets = parser()
  packets.on('packet', (packet) => {
    if (packet.cmd === 'publish') {
      const { topic, payload, qos, retain } = packet
      messages.push({ topic, payload: payload.toString(), qos, retain })
    }
    incoming.push(packet)
    wake()
  })
  stream.on('data', (chunk: Buffer) => packets.parse(chunk))
  stream.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => {
    const end = () => {
      isClosed = true
      stream.destroy()
      wake()
      resolve()
    }
    stream.once('end', end).once('close', end)
  })

  const send = (packet: Packet) => {
    if (!isClosed) stream.write(generate(packet))
  }
  async function next(...commands: Packet['cmd'][]): Promise<Packet | undefined> {
    for (;;) {
      const index = incoming.findIndex(({ cmd }) => commands.includes(cmd))
      if (index >= 0) return incoming.splice(index, 1)[0]
      if (isClosed) return undefined
      await waiting.promise
    }
  }

  return {
    send,
    write: (bytes) => void stream.write(bytes),
    next,
    closed,
    messages,
    cut: () => stream.destroy(),
    async publish(topic, payload, { retain = false } = {}) {
      const body = typeof payload === 'string' ? payload : JSON.stringify(payload)
      send({ cmd: 'publish', topic, payload: body, qos: 1, retain, dup: false, messageId: ++messageId })
      return (await next('puback')) !== undefined
    },
    async subscribe(...topics) {
      const subscriptions = topics.map((topic) => ({ topic, qos: 1 as const }))
      send({ cmd: 'subscribe', messageId: ++messageId, subscriptions })
      const suback = await next('suback')
      return suback?.cmd === 'suback' && suback.granted.every((granted) => granted !== 128)
    },
    async settled() {
      send({ cmd: 'pingreq' })
      return (await next('pingresp')) !== undefined
    },
  }
}

/** Secrets are the word `secret`; operators' tokens name them: `token:<id>`. */
function principalOf(username: string, password: string, clientId: string): Principal | undefined {
  if (username === 'operator') {
    const id = /^token:(\w+)$/.exec(password)?.[1]
    return id === undefined ? undefined : { kind: 'operator', id, party: clientId, label: id }
  }
  if (password !== 'secret') return undefined
  if (username.startsWith('pc-')) return { kind: 'station', id: username, party: username, label: username }
  const kind = username.startsWith('diag') ? 'diagnostics' : 'automation'
  return { kind, id: username, party: clientId, label: username }
}

export interface Room {
  broker: Broker
  received: Received[]
  /** Lines of the log, parsed. */
  lines: Record<string, unknown>[]
  /** A connection that has sent nothing yet. */
  attach(ip?: string): RawClient
  connect(packet?: Partial<IConnectPacket>, ip?: string): RawClient
  /** A logged-in client. */
  login(username: string, packet?: Partial<IConnectPacket>, ip?: string): Promise<RawClient>
}

/** A broker with four kinds of accounts, without a network. */
export async function openRoom(
  ports: Partial<BrokerPorts> = {},
  options: Partial<BrokerOptions> = {},
): Promise<Room> {
  const received: Received[] = []
  const lines: Record<string, unknown>[] = []
  const log = pino(
    { level: 'debug' },
    { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) },
  )
  const broker = await createBroker(
    {
      authenticate: ({ username, password, clientId }) =>
        Promise.resolve(principalOf(username, password, clientId)),
      receive(message) {
        received.push(message)
        return 'route'
      },
      beforeDesired: () => Promise.resolve(),
      listening: () => Promise.resolve(),
      nowMs: () => Date.now(),
      ...ports,
    },
    { log, ...options },
  )

  function attach(ip = '192.0.2.7') {
    const [near, far] = duplexPair()
    // A stream pair does not forward the end of one side, as two ends of a socket do.
    near.once('close', () => far.destroy())
    far.once('close', () => near.destroy())
    broker.handleStream(far, { ip, transport: 'tcp' })
    return rawClient(near)
  }

  function connect(packet: Partial<IConnectPacket> = {}, ip?: string) {
    const client = attach(ip)
    const usual = {
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      clientId: '',
      keepalive: 60,
    } as const
    client.send({ cmd: 'connect', ...usual, ...packet })
    return client
  }

  return {
    broker,
    received,
    lines,
    attach,
    connect,
    async login(username, packet = {}, ip) {
      const password = Buffer.from(username === 'operator' ? 'token:alice' : 'secret')
      const client = connect({ username, password, clientId: username, ...packet }, ip)
      const connack = await client.next('connack')
      if (connack?.cmd !== 'connack' || connack.returnCode !== 0) throw new Error(`${username} is not let in`)
      return client
    },
  }
}

export const own = (name: TopicName, party = 'pc-01') => topicOf(name, party)
