import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { topicOf, type AccountWithSecret, type TopicName } from '@escale/protocol'
import { generate, parser, type Packet } from 'mqtt-packet'
import { WebSocket } from 'ws'
import { signIn } from '../../support/api.ts'
import type { RunningServer } from '../../support/server.ts'
import { enrolStation, macOf } from '../../support/station-client.ts'
import type { PauseCase } from './case.ts'

const STATION = 'pc-pauses'
const MAX_PACKET_BYTES = 256 * 1024
const MAX_FILTERS = 500
const CALLERS = 300
const AT = '2026-01-01T08:00:00.000Z'

interface Login {
  username: string
  password: string
}

/** The largest permitted input of every topic that clients publish on, and of every socket. */
export async function busCases(server: RunningServer): Promise<PauseCase[]> {
  const api = await signIn(server)
  const { mqttSecret } = await enrolStation(server, api, STATION, macOf(60_000))
  const account = { id: 'flow-pauses', kind: 'automation', label: 'Automate', role: 'operator' }
  const { secret } = await api.post<AccountWithSecret>('/api/comptes/', account)
  const station = { username: STATION, password: mqttSecret }
  const flow = { username: account.id, password: secret }
  const port = Number(new URL(server.mqttUrl).port)
  return [
    ...publishCases(port, station, flow),
    ...filterCases(port, flow),
    ...unauthenticatedCases(server, port),
  ]
}

const usual = { bootId: 'b', sessionId: 'x' }
/** A valid payload of each topic. */
const payloads: Partial<Record<TopicName, object>> = {
  presence: {
    ...{
      online: true,
      cause: 'birth',
      agentVersion: '1',
      hostname: 'h',
      os: 'o',
      ipAddress: '',
      macAddress: '',
    },
    ...usual,
  },
  heartbeat: {
    ...{ seq: 1, uptimeSeconds: 1, state: 'locked', cpuPercent: 1, memoryPercent: 1, diskPercent: 1 },
    ...usual,
  },
  reported: { version: 1, state: 'locked', appliedAt: AT, ...usual },
  request: { id: 'r', op: 'time' },
  ack: { id: 'c', status: 'applied', at: AT },
  events: { seq: 1, at: AT, kind: 'cleaned', details: {}, ...usual },
  automationRequest: { id: 'r', op: 'time' },
}

function publishCases(port: number, station: Login, flow: Login): PauseCase[] {
  return Object.entries(payloads).flatMap(([name, payload]) => {
    const login = name === 'automationRequest' ? flow : station
    const topic = topicOf(name as TopicName, login.username)
    const space = MAX_PACKET_BYTES - topic.length - 8
    const fillers = {
      'one long text': 'x'.repeat(space),
      'many values': Array<number>(space).fill(1),
      'many names': Object.fromEntries(Array.from({ length: space / 10 }, (_, i) => [`n${i}`, 1])),
      'many escapes': '\\u00e9'.repeat(space),
      'no JSON': undefined,
    }
    return Object.entries(fillers).map(([what, more]) => ({
      what: `MQTT ${name}, ${what}`,
      send: () => publish(port, login, topic, filled(payload, more, space)),
    }))
  })
}

/** A payload of at most `space` bytes. Its field `more` is filled with as much of the filler as fits. */
function filled(payload: object, more: string | object | undefined, space: number): string {
  if (more === undefined) return '['.repeat(space)
  const head = JSON.stringify(payload).slice(0, -1)
  const left = space - head.length - 20
  const text = typeof more === 'string' ? more : JSON.stringify(more)
  if (typeof more === 'string') {
    const whole = text.slice(0, left)
    return `${head},"more":"${whole.slice(0, whole.length - (whole.length % 6))}"}`
  }
  const cut = text.slice(0, text.lastIndexOf(',', left))
  return `${head},"more":${cut}${Array.isArray(more) ? ']' : '}'}}`
}

function filterCases(port: number, flow: Login): PauseCase[] {
  const exact = Array.from({ length: MAX_FILTERS }, (_, index) => topicOf('presence', `pc-${index}`))
  const wide = Array.from({ length: MAX_FILTERS }, (_, index) => `escale/v1/events/+/x${index}/#`)
  const subscribe = (topics: string[]) =>
    ({ cmd: 'subscribe', messageId: 1, subscriptions: topics.map((topic) => ({ topic, qos: 1 })) }) as Packet
  const unsubscribe = (topics: string[]) =>
    ({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: topics }) as Packet
  return Object.entries({ exact, wide }).flatMap(([kind, topics]) => [
    {
      what: `MQTT SUBSCRIBE to ${MAX_FILTERS} filters, ${kind}, and leaving`,
      send: () => sendPackets(port, flow, [subscribe(topics)]),
    },
    {
      what: `MQTT SUBSCRIBE and UNSUBSCRIBE of ${MAX_FILTERS} filters, ${kind}`,
      send: () => sendPackets(port, flow, [subscribe(topics), unsubscribe(topics)]),
    },
  ])
}

function unauthenticatedCases(server: RunningServer, port: number): PauseCase[] {
  const wrong = { username: STATION, password: 'wrong' }
  return [
    {
      what: `MQTT, ${CALLERS} logins at once with a wrong secret`,
      async send() {
        const all = await Promise.all(Array.from({ length: CALLERS }, () => login(port, wrong)))
        all.forEach(({ socket }) => socket.destroy())
        return `${all.length} answered`
      },
    },
    {
      what: 'WebSocket /mqtt, the largest frame',
      send: () => sendFrame(server, Buffer.alloc(MAX_PACKET_BYTES, 0x10)),
    },
    {
      what: 'WebSocket /mqtt, a frame beyond the limit',
      send: () => sendFrame(server, Buffer.alloc(MAX_PACKET_BYTES + 1)),
    },
  ]
}

async function sendFrame(server: RunningServer, frame: Buffer): Promise<string> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/mqtt`, 'mqtt')
  socket.on('error', () => undefined)
  await once(socket, 'open')
  const closed = once(socket, 'close') as Promise<[number]>
  socket.send(frame)
  const [code] = await closed
  return `closed ${code}`
}

interface Client {
  socket: Socket
  /** The next packet; undefined once the connection is closed. */
  next(): Promise<Packet | undefined>
}

/** Connects, and waits for the answer to the login. */
async function login(port: number, { username, password }: Login): Promise<Client> {
  const socket = createConnection({ host: '127.0.0.1', port, noDelay: true })
  const packets: (Packet | undefined)[] = []
  let wake: () => void = () => undefined
  const put = (packet: Packet | undefined) => {
    packets.push(packet)
    wake()
  }
  const incoming = parser()
  incoming.on('packet', put)
  socket.on('data', (bytes) => incoming.parse(bytes))
  socket.on('error', () => undefined)
  socket.on('close', () => put(undefined))
  const next = async () => {
    while (packets.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    return packets.shift()
  }
  const connect = { protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0 } as const
  socket.write(
    generate({ cmd: 'connect', ...connect, clientId: username, username, password: Buffer.from(password) }),
  )
  await next()
  return { socket, next }
}

/** Sends the packets one after the other, each after the answer to the one before, and disconnects. */
async function sendPackets(port: number, as: Login, packets: Packet[]): Promise<string> {
  const { socket, next } = await login(port, as)
  const answers: string[] = []
  for (const packet of packets) {
    socket.write(generate(packet))
    answers.push((await next())?.cmd ?? 'closed')
  }
  const closed = once(socket, 'close')
  socket.end(generate({ cmd: 'disconnect' }))
  await closed
  return answers.join(', ')
}

const publish = (port: number, as: Login, topic: string, payload: string) =>
  sendPackets(port, as, [{ cmd: 'publish', topic, payload, qos: 1, messageId: 1, retain: false, dup: false }])
