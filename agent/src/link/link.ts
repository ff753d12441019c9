import type { MqttClient } from 'mqtt'
import pTimeout from 'p-timeout'
import type { Logger } from 'pino'
import {
  topicOf,
  topicTable,
  type Presence,
  type Request,
  type TopicName,
  type TopicPayload,
} from '@escale/protocol'
import type { ClockSample } from '../core/index.ts'
import { failureOf, isWrongSecret, openClient, type MqttIdentity } from './mqtt-client.ts'
import { incomingTopics, readIncoming, type Incoming } from './payloads.ts'
import { createPublications } from './publications.ts'
import { createReconnection, type Failure } from './reconnection.ts'
import { createRequests, type Requests } from './requests.ts'
import { createServerTime } from './server-time.ts'
import { tlsFailureOf } from './tls-failure.ts'

const WRONG_SECRET =
  'the server refuses this secret: accept the station again, or check --station-id and --mqtt-secret'
const BUSY = 'the server has many stations to let in: this one comes back in its turn'
const CLEAN_STOP_LIMIT_MS = 1_000
const TIME_INTERVAL_MS = 60_000
/** A connection that has lasted this long is healthy: the delay before the next attempt is short again. */
const HEALTHY_MS = 10_000
const DROPPED_LOG_INTERVAL_MS = 60_000

export type PresenceFacts = Omit<Presence, 'online' | 'cause' | 'connectionSeq'>

export interface LinkOptions extends MqttIdentity {
  /** What the presence message says of the machine; asked again for each connection. */
  presence: () => Promise<PresenceFacts>
  nowMs: () => number
  log: Logger
  onUp: () => void
  onDown: () => void
  /** The server answered that the secret is wrong; the link goes on trying until it is stopped. */
  onRefused: () => void
  onClockSample: (sample: ClockSample) => void
  /** Presence and time are done: the station's own messages may follow. */
  onSettled: () => void
  onMessage: (message: Exclude<Incoming, { name: 'response' }>) => void
}

/** What a station publishes besides its presence, which is the link's own. */
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

/** One connection, from its CONNECT to its end. */
interface Connection {
  client: MqttClient
  facts: PresenceFacts
  seq: number
  isUp: boolean
  isSettled: boolean
  /** What the last error says of the server, should this connection never stand. */
  failure: Failure
  healthyTimer?: NodeJS.Timeout
}

/**
 * The station's connection to the broker. Each one is a clean session that begins with presence, subscriptions and
 * time; when it is lost, another one follows. Source: docs/mqtt.md
 */
export function createLink(options: LinkOptions): Link {
  const { stationId, nowMs, log } = options
  const topic = (name: TopicName) => (name === 'config' ? topicOf(name) : topicOf(name, stationId))
  const reconnection = createReconnection()
  const publications = createPublications(topic)
  const requests = createRequests((request: Request) => void send('request', request))
  const time = createServerTime(requests.ask, nowMs, options.onClockSample)
  const failures = createFailureLog(options)
  const dropped = createDroppedLog(options)
  let connection: Connection | undefined
  let connectionSeq = 0
  let isStopping = false
  let reconnectTimer: NodeJS.Timeout | undefined

  const send = (name: OutgoingTopic | 'presence' | 'request', payload: unknown): Promise<boolean> =>
    connection?.isUp === true ? publications.send(connection.client, name, payload) : Promise.resolve(false)

  const timeTimer = setInterval(() => {
    if (connection?.isUp === true) void time.askOnce()
  }, TIME_INTERVAL_MS)

  const establish = async (current: Connection) => {
    const { client, facts, seq } = current
    current.isUp = true
    failures.over()
    log.info({ connectionSeq: seq }, 'connected to the broker')
    void send('presence', presenceOf('birth', facts, seq))
    await client.subscribeAsync(incomingTopics.map(topic), { qos: 1 })
    // Two machines with one identity take the connection from each other: a short success must not reset the delay.
    current.healthyTimer = setTimeout(reconnection.recover, HEALTHY_MS)
    options.onUp()
    requests.resend()
    await time.askAtStart()
    if (connection !== current) return
    current.isSettled = true
    options.onSettled()
  }

  const receive = (name: string, bytes: Uint8Array) => {
    const message = readIncoming(name, bytes)
    if (message === undefined) dropped.note(name, bytes)
    else if (message.name === 'response') requests.take(message.payload)
    else options.onMessage(message)
  }

  const lose = (current: Connection) => {
    if (connection !== current) return
    connection = undefined
    clearTimeout(current.healthyTimer)
    current.client.end(true)
    publications.lose()
    requests.lose()
    if (current.isUp) options.onDown()
    if (!isStopping) tryAgain(current.failure, current.isUp)
  }

  const tryAgain = (failure: Failure, wasUp = false) => {
    const retryMs = reconnection.delayMs(failure)
    if (wasUp) log.warn({ retryMs }, 'connection to the broker lost')
    reconnectTimer = setTimeout(() => void open(), retryMs)
  }

  async function open() {
    // The will is part of the CONNECT packet, so the network card must be known before there is a connection.
    const facts = await options.presence().catch((err: unknown) => {
      log.warn({ err }, 'the identity of this machine cannot be read, trying again')
      return undefined
    })
    if (isStopping) return
    if (facts === undefined) tryAgain('refused')
    else follow(facts)
  }

  /** Opens a connection, and follows it to its end. */
  function follow(facts: PresenceFacts) {
    connectionSeq += 1
    const seq = connectionSeq
    const { qos, retain } = topicTable.presence
    const payload = Buffer.from(JSON.stringify(presenceOf('lost', facts, seq)))
    const client = openClient(options, { topic: topic('presence'), payload, qos, retain })
    const current: Connection = { client, facts, seq, isUp: false, isSettled: false, failure: 'refused' }
    connection = current
    client.on('connect', () => {
      establish(current).catch((err: unknown) => {
        log.warn({ err }, 'the broker did not accept the subscriptions')
        lose(current)
      })
    })
    client.on('message', receive)
    client.on('error', (err) => {
      if (!current.isUp) current.failure = failureOf(err)
      failures.tell(err)
      if (isWrongSecret(err)) options.onRefused()
    })
    client.on('close', () => lose(current))
  }

  void open()
  return {
    publish: send,
    ask: requests.ask,
    askTime: time.askOften,
    isSettled: () => connection?.isSettled === true,
    stop: async () => {
      isStopping = true
      clearTimeout(reconnectTimer)
      clearTimeout(connection?.healthyTimer)
      clearInterval(timeTimer)
      requests.close()
      if (connection !== undefined) await sayGoodbye(connection, send)
    },
  }
}

function presenceOf(
  cause: 'birth' | 'clean' | 'lost',
  facts: PresenceFacts,
  connectionSeq: number,
): Presence {
  return { online: cause === 'birth', cause, connectionSeq, ...facts }
}

/** A station that stops in order says so: its absence has a cause at once. */
async function sayGoodbye(
  { client, facts, seq }: Connection,
  send: (name: 'presence', payload: Presence) => Promise<boolean>,
): Promise<void> {
  const atMost = (milliseconds: number) => ({ milliseconds, fallback: () => undefined })
  await pTimeout(send('presence', presenceOf('clean', facts, seq)), atMost(CLEAN_STOP_LIMIT_MS))
  await pTimeout(
    client.endAsync().catch(() => undefined),
    atMost(CLEAN_STOP_LIMIT_MS / 2),
  )
  client.end(true)
}

/** Logs each reason for a failed connection once: most attempts fail as the one before did. */
function createFailureLog({ log, url }: Pick<LinkOptions, 'log' | 'url'>) {
  let told: string | undefined
  return {
    tell(err: Error): void {
      const isBusy = failureOf(err) === 'busy'
      const reason = isWrongSecret(err) ? WRONG_SECRET : isBusy ? BUSY : tlsFailureOf(err)
      const failure = reason ?? err.message
      const level = told === failure ? 'debug' : isBusy ? 'info' : 'warn'
      told = failure
      log[level]({ err, url, reason }, 'connection to the broker failed, trying on')
    },
    over(): void {
      told = undefined
    },
  }
}

function createDroppedLog({ log, nowMs }: Pick<LinkOptions, 'log' | 'nowMs'>) {
  let atMs = -Infinity
  return {
    /** At most once a minute. An empty message only clears what was retained. */
    note(topic: string, bytes: Uint8Array): void {
      if (bytes.length === 0 || nowMs() - atMs < DROPPED_LOG_INTERVAL_MS) return
      atMs = nowMs()
      log.warn({ topic, bytes: bytes.length }, 'message outside its schema dropped')
    },
  }
}
