import { createHash, randomUUID } from 'node:crypto'
import { createLogThrottle } from '@escale/broker'
import pTimeout from 'p-timeout'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import { SetupError } from '../errors.ts'
import type { PeerListener, PeerMessage, Peers } from './port.ts'

const CHANNEL = 'escale/v1/peers'
/** How long the start waits for Redis before it fails. */
const FIRST_CONNECTION_MS = 5_000
const LONGEST_RETRY_MS = 1_000
/** Each server sends at least one message in this time. This also detects a Redis that hangs and half-open connections. */
const ALIVE_EVERY_MS = 1_000
/** Redis must answer within this time. So a failure is detected after 4 s at most. */
const SILENT_CONNECTION_MS = 3_000
/** Deadlines are instants. With a larger difference, two servers would end a session at different moments. */
const CLOCK_TOLERANCE_MS = 2_000
const CLOSE_WITHIN_MS = 500

interface Envelope {
  from: string
  /** Hash of the site's keys. A server with other keys belongs to another site or is configured wrongly. */
  site: string
  sentAtMs: number
  /** Absent in a keep-alive message. */
  message?: PeerMessage
}

export interface RedisPeersOptions {
  url: string
  /** Secrets shared by the servers of one site. */
  keys: Buffer[]
  clock: Clock
  log: Logger
}

/**
 * Connects to the other servers through one channel of Redis, over one connection.
 * @throws SetupError if Redis does not answer within 5 s
 */
export async function connectRedisPeers({ url, keys, clock, log }: RedisPeersOptions): Promise<Peers> {
  // Loaded on demand, because most sites do not use Redis.
  const { Redis } = await import('ioredis')
  const from = randomUUID()
  const site = createHash('sha256').update(Buffer.concat(keys)).digest('base64url').slice(0, 16)
  const throttle = createLogThrottle(() => clock.nowMs())
  let listener: PeerListener | undefined
  let isJoined = false
  let isClosing = false
  let lastError = ''

  const redis = new Redis(url, {
    connectionName: 'escale',
    lazyConnect: true,
    // Messages do not wait for Redis: missed changes are read from the database later.
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    socketTimeout: SILENT_CONNECTION_MS,
    connectTimeout: FIRST_CONNECTION_MS,
    retryStrategy: (times) => Math.min(times * 100, LONGEST_RETRY_MS),
  })
  redis.on('error', (err: Error) => {
    lastError = err.message
  })
  // The first time, `listen` joins and reports failures.
  redis.on('ready', () => {
    if (listener) join(listener).catch(() => redis.disconnect(true))
  })
  redis.on('close', () => {
    if (!isJoined) return
    isJoined = false
    if (isClosing) return
    log.error(
      { reason: lastError },
      'Redis does not answer: this server follows the others through the database',
    )
    listener?.lost()
  })
  redis.on('message', (_channel: string, text: string) => {
    try {
      receive(JSON.parse(text) as Envelope)
    } catch (err) {
      logThrottled('a message of another server could not be handled', { err })
    }
  })

  async function join(added: PeerListener): Promise<void> {
    await redis.subscribe(CHANNEL)
    // Since Redis 6, a connection that subscribes may also publish.
    await publish()
    isJoined = true
    log.info('joined the other servers through Redis')
    added.joined()
  }

  function receive({ from: sender, site: senderSite, sentAtMs, message }: Envelope): void {
    if (sender === from) return
    if (senderSite !== site) {
      logThrottled('messages of a server with other keys are ignored: give both servers the same keys folder')
      return
    }
    const aheadMs = sentAtMs - clock.nowMs()
    if (Math.abs(aheadMs) > CLOCK_TOLERANCE_MS) {
      logThrottled('the clock of another server differs: synchronise both clocks', { aheadMs })
    }
    if (message) listener?.take(message)
  }

  /** Logs each text at most once a minute. */
  function logThrottled(text: string, details: object = {}): void {
    const heldBack = throttle(text)
    if (heldBack !== undefined) log.error({ ...details, heldBack }, text)
  }

  async function publish(message?: PeerMessage): Promise<void> {
    const envelope: Envelope = { from, site, sentAtMs: clock.nowMs(), ...(message ? { message } : {}) }
    await redis.publish(CHANNEL, JSON.stringify(envelope))
  }

  function send(message?: PeerMessage): void {
    // A message that is lost with the connection is made up for by `joined`.
    if (isJoined) publish(message).catch(() => undefined)
  }

  await firstConnection(redis.connect(), () => lastError).catch((err: unknown) => {
    redis.disconnect()
    throw err
  })
  const alive = setInterval(send, ALIVE_EVERY_MS)

  return {
    send,
    async listen(added) {
      await join(added)
      listener = added
    },
    isConnected: () => isJoined,
    async close() {
      isClosing = true
      clearInterval(alive)
      const end = redis.quit().catch(() => undefined)
      await pTimeout(end, { milliseconds: CLOSE_WITHIN_MS, fallback: () => undefined })
      redis.disconnect()
    },
  }
}

async function firstConnection(connecting: Promise<unknown>, reason: () => string): Promise<void> {
  try {
    await pTimeout(connecting, { milliseconds: FIRST_CONNECTION_MS, message: 'timeout' })
  } catch (err) {
    const why = reason() || (err instanceof Error ? err.message : String(err))
    throw new SetupError(
      `ESCALE_REDIS_URL\u00a0: Redis ne répond pas (${why}). Démarrez-le, ou corrigez l’adresse.`,
      `ESCALE_REDIS_URL: Redis does not answer (${why}). Start it, or correct the address.`,
      err,
    )
  }
}
