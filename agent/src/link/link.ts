import { connect, type MqttClient } from 'mqtt'
import type { Logger } from 'pino'
import {
  topicOf,
  topicTable,
  unixMsOf,
  type Presence,
  type Request,
  type TopicName,
  type TopicPayload,
} from '@escale/protocol'
import { sampleOf, type ClockSample } from '../core/index.ts'
import { createBackoff } from './backoff.ts'
import { incomingTopics, readIncoming, type Incoming } from './payloads.ts'
import { within } from '../within.ts'
import { createRequests, type Requests } from './requests.ts'
import { tlsFailureOf } from './tls-failure.ts'

/** CONNACK return code of MQTT 3.1.1. */
const BAD_CREDENTIALS = 4
const REFUSED =
  'the server refuses this secret: accept the station again, or check --station-id and --mqtt-secret'
const KEEPALIVE_SECONDS = 10
const CONNECT_LIMIT_MS = 8_000
const CLEAN_STOP_LIMIT_MS = 1_000
const TIME_BURST = 5
const TIME_LIMIT_MS = 1_500
/** After the first answer: what a station has to tell does not wait for the rest of a burst on a busy server. */
const TIME_PATIENCE_MS = 500
const TIME_INTERVAL_MS = 60_000
/** Quick while a server may be restarting, so that its room is back within seconds; patient with one that is gone. */
const RECONNECT = { firstMs: 250, maxMs: 15_000, quick: { maxMs: 1_000, attempts: 30 } }
/** After a connection has lasted this long, the delay before the next attempt is short again. */
const STEADY_MS = 10_000
const DROPPED_LOG_INTERVAL_MS = 60_000

export type PresenceFacts = Omit<Presence, 'online' | 'cause' | 'connectionSeq'>

export interface LinkOptions {
  url: string
  stationId: string
  secret: string
  /** PEM of the authority that the broker's certificate is checked by; without it the machine's own ones are. */
  caCertificate?: string
  /** What presence says, but for its cause and the connection's number; asked anew for each connection. */
  presence: () => Promise<PresenceFacts>
  nowMs: () => number
  log: Logger
  onUp: () => void
  onDown: () => void
  /** The server answered that the secret is wrong; the link goes on trying until it is stopped. */
  onRefused: () => void
  onClockSample: (sample: ClockSample) => void
  /** Presence and time are done: what the station has to tell may follow. */
  onSettled: () => void
  onMessage: (message: Exclude<Incoming, { name: 'response' }>) => void
}

/** What a station publishes besides its presence, which the link keeps to itself. */
export type OutgoingTopic = 'heartbeat' | 'reported' | 'ack' | 'events'

export interface Link {
  /** Resolves with whether the server's broker took it; a heartbeat only whether it was written. */
  publish: <N extends OutgoingTopic>(name: N, payload: TopicPayload<N>) => Promise<boolean>
  ask: Requests['ask']
  askTime: () => Promise<void>
  isSettled: () => boolean
  /** Says goodbye, waits at most a second for it, and closes. */
  stop: () => Promise<void>
}

/** The station's connection to the broker: clean session, own reconnection, order of the contract, section 3. */
export function createLink(options: LinkOptions): Link {
  const { stationId, nowMs, log } = options
  const backoff = createBackoff(RECONNECT)
  let client: MqttClient | undefined
  let connected: PresenceFacts | undefined
  let connectionSeq = 0
  let isConnected = false
  let isSettled = false
  let isStopping = false
  let reconnectTimer: NodeJS.Timeout | undefined
  let steadyTimer: NodeJS.Timeout | undefined
  let toldFailure: string | undefined
  let droppedLogAtMs = -Infinity
  /** Publications that the broker has not answered; a lost connection settles them all. */
  const unsettled = new Set<(isTaken: boolean) => void>()

  const topic = (name: TopicName) => (name === 'config' ? topicOf(name) : topicOf(name, stationId))
  const presenceOf = (cause: 'birth' | 'clean' | 'lost', facts: PresenceFacts): Presence => ({
    online: cause === 'birth',
    cause,
    connectionSeq,
    ...facts,
  })

  const send = (name: OutgoingTopic | 'presence' | 'request', payload: unknown): Promise<boolean> => {
    const current = client
    if (current === undefined || !isConnected) return Promise.resolve(false)
    const { qos, retain } = topicTable[name]
    return new Promise((resolve) => {
      const settle = (isTaken: boolean) => {
        unsettled.delete(settle)
        resolve(isTaken)
      }
      unsettled.add(settle)
      current.publish(topic(name), JSON.stringify(payload), { qos, retain }, (err) => settle(!err))
    })
  }

  const requests = createRequests((request: Request) => void send('request', request))

  const askTime = async () => {
    const sentMs = nowMs()
    const answer = await requests.ask('time', {}, { limitMs: TIME_LIMIT_MS, isResent: false })
    const arrivedMs = nowMs()
    if (answer?.ok !== true) return false
    const { receivedAt, sentAt } = answer.data
    if (typeof receivedAt !== 'string' || typeof sentAt !== 'string') return false
    const [serverReceivedMs, serverSentMs] = [unixMsOf(receivedAt), unixMsOf(sentAt)]
    options.onClockSample(sampleOf({ sentMs, arrivedMs, serverReceivedMs, serverSentMs }))
    return true
  }

  const askTimeOften = async (times = TIME_BURST) => {
    for (let i = 0; i < times; i += 1) if (!(await askTime())) return
  }

  const timeTimer = setInterval(() => {
    if (isConnected) void askTime()
  }, TIME_INTERVAL_MS)

  const establish = async (current: MqttClient, facts: PresenceFacts) => {
    isConnected = true
    toldFailure = undefined
    log.info({ connectionSeq }, 'connected to the broker')
    void send('presence', presenceOf('birth', facts))
    await current.subscribeAsync(incomingTopics.map(topic), { qos: 1 })
    // Two machines with one identity take the connection from each other: a short success must not reset the delay.
    steadyTimer = setTimeout(() => backoff.reset(), STEADY_MS)
    options.onUp()
    requests.resend()
    if (await askTime()) await within(TIME_PATIENCE_MS, askTimeOften(TIME_BURST - 1))
    if (client !== current) return
    isSettled = true
    options.onSettled()
  }

  const receive = (name: string, bytes: Uint8Array) => {
    const message = readIncoming(name, bytes)
    if (message === undefined) {
      if (bytes.length === 0 || nowMs() - droppedLogAtMs < DROPPED_LOG_INTERVAL_MS) return
      droppedLogAtMs = nowMs()
      log.warn({ topic: name, bytes: bytes.length }, 'message outside its schema dropped')
    } else if (message.name === 'response') requests.take(message.payload)
    else options.onMessage(message)
  }

  const lose = (current: MqttClient) => {
    if (client !== current) return
    client = undefined
    clearTimeout(steadyTimer)
    const wasConnected = isConnected
    isConnected = false
    isSettled = false
    current.end(true)
    for (const settle of [...unsettled]) settle(false)
    requests.lose()
    if (wasConnected) options.onDown()
    if (isStopping) return
    const retryMs = backoff.nextMs()
    if (wasConnected) log.warn({ retryMs }, 'connection to the broker lost')
    reconnectTimer = setTimeout(() => void open(), retryMs)
  }

  async function open() {
    // The will is part of the CONNECT packet, so the network card must be known before there is a connection.
    const facts = await options.presence().catch((err: unknown) => {
      log.warn({ err }, 'the identity of this machine cannot be read, trying again')
      return undefined
    })
    if (isStopping) return
    if (facts === undefined) {
      reconnectTimer = setTimeout(() => void open(), backoff.nextMs())
      return
    }
    connected = facts
    connectionSeq += 1
    const current = connect({
      ...brokerOf(options.url),
      clientId: stationId,
      username: stationId,
      password: options.secret,
      clean: true,
      keepalive: KEEPALIVE_SECONDS,
      protocolVersion: 4,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_LIMIT_MS,
      resubscribe: false,
      ...(options.caCertificate === undefined ? {} : { ca: options.caCertificate }),
      will: {
        topic: topic('presence'),
        payload: Buffer.from(JSON.stringify(presenceOf('lost', facts))),
        qos: topicTable.presence.qos,
        retain: topicTable.presence.retain,
      },
    })
    client = current
    current.on('connect', () => {
      establish(current, facts).catch((err: unknown) => {
        log.warn({ err }, 'the broker did not accept the subscriptions')
        current.end(true)
        lose(current)
      })
    })
    current.on('message', receive)
    current.on('error', (err) => {
      const isRefused = 'code' in err && err.code === BAD_CREDENTIALS
      const reason = isRefused ? REFUSED : tlsFailureOf(err)
      // Once for each reason: most attempts fail as the one before did.
      const failure = reason ?? err.message
      const level = toldFailure === failure ? 'debug' : 'warn'
      toldFailure = failure
      const told = { err, url: options.url, reason }
      log[level](told, 'connection to the broker failed, trying on')
      if (isRefused) options.onRefused()
    })
    current.on('close', () => lose(current))
  }

  void open()
  return {
    publish: send,
    ask: requests.ask,
    askTime: () => askTimeOften(),
    isSettled: () => isSettled,
    stop: async () => {
      isStopping = true
      clearTimeout(reconnectTimer)
      clearTimeout(steadyTimer)
      clearInterval(timeTimer)
      requests.close()
      const current = client
      if (current === undefined || connected === undefined) return
      await within(CLEAN_STOP_LIMIT_MS, send('presence', presenceOf('clean', connected)))
      await within(CLEAN_STOP_LIMIT_MS / 2, current.endAsync())
      current.end(true)
    },
  }
}

/** The address in parts: given whole, mqtt.js reads it by Node's deprecated parser. */
function brokerOf(url: string) {
  const { protocol, hostname, port, pathname } = new URL(url)
  const scheme = protocol.slice(0, -1) as 'mqtt' | 'mqtts' | 'ws' | 'wss'
  const usual = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 }[scheme]
  const host = hostname.replace(/^\[|\]$/g, '')
  return { protocol: scheme, host, port: port === '' ? usual : Number(port), path: pathname || '/mqtt' }
}
