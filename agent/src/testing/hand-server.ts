import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Aedes, type Client } from 'aedes'
import {
  instantOf,
  matchTopic,
  topicOf,
  type Command,
  type Desired,
  type Request,
  type Response,
  type SiteConfig,
  type TopicName,
} from '@escale/protocol'

export interface Heard {
  name: TopicName
  payload: Record<string, unknown>
  retain: boolean
}

/** A minimal server for one station in tests: it records what it receives and answers as the test says. */
export interface HandServer {
  url: string
  heard: Heard[]
  /** Resolves with the first matching message, whether it has already arrived or still comes. */
  hears: (name: TopicName, fits?: (payload: Record<string, unknown>) => boolean) => Promise<Heard>
  answerWith: (answer: (request: Request) => Omit<Response, 'id'> | undefined) => void
  desire: (desired: Omit<Desired, 'sentAt'> & { sentAt?: string }) => Promise<void>
  configure: (config: SiteConfig) => Promise<void>
  command: (command: Command) => Promise<void>
  cut: () => void
  /** From now on every secret is refused. */
  refuse: () => void
  stop: () => Promise<void>
  /** Unix ms of this server's clock. */
  nowUnixMs: () => number
}

export interface HandServerOptions {
  stationId: string
  port?: number
  /** How far the server's wall clock is from this machine's, ms. */
  offsetMs?: number
  /** Delay before the answer to a request, ms. */
  answersAfterMs?: number
}

/** An Aedes broker on a free port, with no part of the real server. */
export async function createHandServer({
  stationId,
  port = 0,
  offsetMs = 0,
  answersAfterMs = 0,
}: HandServerOptions): Promise<HandServer> {
  let isRefusing = false
  let isStopped = false
  const broker = await Aedes.createBroker({
    authenticate: (_client, _username, _password, done) => {
      if (!isRefusing) done(null, true)
      else done(Object.assign(new Error('wrong secret'), { returnCode: 4 }), false)
    },
  })
  const server: Server = createServer({ noDelay: true }, broker.handle)
  const heard: Heard[] = []
  const waiting = new Set<() => void>()
  const clients = new Set<Client>()
  const nowUnixMs = () => Date.now() + offsetMs
  let answer: (request: Request) => Omit<Response, 'id'> | undefined = () => undefined

  const publish = (name: TopicName, payload: unknown, retain: boolean) =>
    new Promise<void>((resolve, reject) => {
      const topic = name === 'config' ? topicOf(name) : topicOf(name, stationId)
      broker.publish(
        { cmd: 'publish', topic, payload: Buffer.from(JSON.stringify(payload)), qos: 1, retain, dup: false },
        (err) => (err ? reject(err) : resolve()),
      )
    })

  broker.on('client', (client) => clients.add(client))
  broker.on('clientDisconnect', (client) => clients.delete(client))
  broker.on('publish', ({ topic, payload, retain }, client) => {
    const match = matchTopic(topic)
    if (match === undefined || (client === null && match.name !== 'presence')) return
    const message = JSON.parse(payload.toString()) as Record<string, unknown>
    heard.push({ name: match.name, payload: message, retain })
    for (const look of [...waiting]) look()
    if (match.name !== 'request') return
    // Another test checks the agent's requests against their schema.
    const request = message as unknown as Request
    const given = answer(request) ?? timeAnswer(request, nowUnixMs())
    const reply = () => {
      if (!isStopped) void publish('response', { id: request.id, ...given }, false)
    }
    if (given !== undefined) setTimeout(reply, answersAfterMs)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const { port: boundPort } = server.address() as AddressInfo

  return {
    url: `mqtt://127.0.0.1:${boundPort}`,
    heard,
    nowUnixMs,
    hears: (name, fits = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          const found = heard.find((message) => message.name === name && fits(message.payload))
          if (found === undefined) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
    answerWith: (next) => {
      answer = next
    },
    desire: (desired) => publish('desired', { sentAt: instantOf(nowUnixMs()), ...desired }, true),
    configure: (config) => publish('config', config, true),
    command: (command) => publish('command', command, false),
    cut: () => {
      for (const client of clients) client.conn.destroy()
    },
    refuse: () => {
      isRefusing = true
    },
    stop: async () => {
      isStopped = true
      for (const client of clients) client.conn.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await new Promise<void>((resolve) => broker.close(() => resolve()))
    },
  }
}

function timeAnswer(request: Request, unixMs: number): Omit<Response, 'id'> | undefined {
  if (request.op !== 'time') return undefined
  return { ok: true, data: { receivedAt: instantOf(unixMs), sentAt: instantOf(unixMs) } } as Omit<
    Response,
    'id'
  >
}
