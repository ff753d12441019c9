import { createHash, randomUUID } from 'node:crypto'
import { MINUTE_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import { SetupError } from '../errors.ts'
import { within } from '../timing.ts'
import type { PeerListener, PeerMessage, Peers } from './port.ts'

const CHANNEL = 'escale/v1/peers'
/** How long a start waits for Redis before it is refused. */
const FIRST_CONNECTION_MS = 5_000
const LONGEST_RETRY_MS = 1_000
/** Each server makes itself heard this often; that also finds a Redis that hangs, or a connection that is half there. */
const ALIVE_EVERY_MS = 1_000
/** What has been said must be answered within this: with the above, whatever is wrong is known after 4 s. */
const SILENT_CONNECTION_MS = 3_000
/** Deadlines are instants: servers whose clocks differ by more end sessions at different moments. */
const CLOCK_TOLERANCE_MS = 2_000
const CLOSE_WITHIN_MS = 500

interface Envelope {
  from: string
  /** Hash of the site's keys: servers with other keys belong to another site, or are set up wrongly. */
  site: string
  sentAtMs: number
  /** Absent where a server only says that it lives. */
  message?: PeerMessage
}

export interface RedisPeersOptions {
  url: string
  /** Secrets that the servers of one site share. */
  keys: Buffer[]
  clock: Clock
  log: Logger
}

/**
 * The other servers, reached through one channel of a Redis, over one connection.
 * @throws SetupError in both languages when Redis cannot be reached within 5 s
 */
export async function connectRedisPeers({ url, keys, clock, log }: RedisPeersOptions): Promise<Peers> {
  // Loaded where it is needed: most sites never do.
  const { Redis } = await import('ioredis')
  const from = randomUUID()
  const site = createHash('sha256').update(Buffer.concat(keys)).digest('base64url').slice(0, 16)
  const complaints = new Map<string, number>()
  let listener: PeerListener | undefined
  let isJoined = false
  let isClosing = false
  let lastError = ''

  const redis = new Redis(url, {
    connectionName: 'escale',
    lazyConnect: true,
    // Nothing waits for a Redis that is away: what was missed is read from the database afterwards.
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
  // The first time it is `listen` that joins, and answers for it.
  redis.on('ready', () => {
    if (listener) join(listener).catch(() => redis.disconnect(true))
  })
  redis.on('close', () => {
    if (!isJoined) return
    isJoined = false
    if (isClosing) return
    log.error({ reason: lastError }, 'Redis is out of reach: servers go on by the database alone')
    listener?.lost()
  })
  redis.on('message', (_channel: string, text: string) => {
    try {
      hear(JSON.parse(text) as Envelope)
    } catch (err) {
      complain('a message of another server was not taken', { err })
    }
  })

  async function join(added: PeerListener): Promise<void> {
    await redis.subscribe(CHANNEL)
    // Redis 6 takes this on a connection that also listens.
    await say()
    isJoined = true
    log.info('joined the other servers through Redis')
    added.joined()
  }

  function hear({ from: sender, site: senderSite, sentAtMs, message }: Envelope): void {
    if (sender === from) return
    if (senderSite !== site) {
      complain('another server has other keys and is not listened to: give both the same keys folder')
      return
    }
    const aheadMs = sentAtMs - clock.nowMs()
    if (Math.abs(aheadMs) > CLOCK_TOLERANCE_MS) {
      complain('the clock of another server differs: synchronise both', { aheadMs })
    }
    if (message) listener?.take(message)
  }

  /** Once a minute for each complaint. */
  function complain(text: string, details: object = {}): void {
    const nowMs = clock.nowMs()
    if (nowMs - (complaints.get(text) ?? -Infinity) < MINUTE_MS) return
    complaints.set(text, nowMs)
    log.error(details, text)
  }

  async function say(message?: PeerMessage): Promise<void> {
    const envelope: Envelope = { from, site, sentAtMs: clock.nowMs(), ...(message ? { message } : {}) }
    await redis.publish(CHANNEL, JSON.stringify(envelope))
  }

  function send(message?: PeerMessage): void {
    // What is lost with the connection is made up for with the next one.
    if (isJoined) say(message).catch(() => undefined)
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
      await within(CLOSE_WITHIN_MS, end, () => undefined)
      redis.disconnect()
    },
  }
}

async function firstConnection(connecting: Promise<unknown>, reason: () => string): Promise<void> {
  try {
    await within(FIRST_CONNECTION_MS, connecting, () => {
      throw new Error('timeout')
    })
  } catch (err) {
    const why = reason() || (err instanceof Error ? err.message : String(err))
    throw new SetupError(
      `ESCALE_REDIS_URL\u00a0: Redis ne répond pas (${why}). Démarrez-le, ou corrigez l’adresse.`,
      `ESCALE_REDIS_URL: Redis does not answer (${why}). Start it, or correct the address.`,
      err,
    )
  }
}
