import { createRequire } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { SetupError } from '../errors.ts'

/** Held by every server while it runs. The number is arbitrary but fixed. */
const SERVER_LOCK = 4543300
const ASK_AGAIN_MS = 200
/** The pause after a lost connection. */
const TAKE_AGAIN_MS = 1_000
/** The lock of a machine without power is released within 25 s, so that its successor can start. */
const KEEPALIVES = '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3'

/** The part of the `pg` package that we use. */
interface Client {
  connect(): Promise<void>
  query(sql: string): Promise<{ rows: { taken: boolean }[] }>
  end(): Promise<void>
  on(event: 'error' | 'end', listener: (err?: Error) => void): unknown
}
interface PostgresModule {
  Client: new (options: object) => Client
}

interface Options {
  isShared: boolean
  /** How long an earlier server may take to stop. */
  waitMs: number
  log: Logger
}

/**
 * Holds PostgreSQL's advisory lock for servers, shared or exclusive, over a separate connection, as long as this
 * process lives. A lost connection is opened again.
 * @throws SetupError if another server holds it
 */
export async function lockPostgres(url: string, { isShared, waitMs, log }: Options) {
  const { Client } = createRequire(import.meta.url)('pg') as PostgresModule
  const ask = `SELECT pg_try_advisory_lock${isShared ? '_shared' : ''}(${SERVER_LOCK}) AS taken`
  let isReleased = false
  let client = await take(waitMs)
  if (!client) throw runsElsewhere()

  async function take(withinMs: number): Promise<Client | undefined> {
    const connected = new Client({ connectionString: url, keepAlive: true, options: KEEPALIVES })
    connected.on('error', (err) => {
      log.warn({ err }, 'the connection that holds the lock of servers is lost')
    })
    await connected.connect()
    const untilMs = performance.now() + withinMs
    while (!(await connected.query(ask)).rows[0]?.taken) {
      if (performance.now() > untilMs) {
        await connected.end()
        return undefined
      }
      await pause(ASK_AGAIN_MS)
    }
    connected.on('end', () => {
      void retake()
    })
    return connected
  }

  async function retake(): Promise<void> {
    while (!isReleased) {
      await pause(TAKE_AGAIN_MS, undefined, { ref: false })
      try {
        client = await take(0)
        if (client) return
        log.error('another server runs on this database: stop one of them, or give both ESCALE_REDIS_URL')
      } catch (err) {
        log.debug({ err }, 'the lock of servers is not taken again yet')
      }
    }
  }

  return {
    async release(): Promise<void> {
      isReleased = true
      await client?.end()
    },
  }
}

function runsElsewhere(): SetupError {
  return new SetupError(
    'Un autre serveur tourne déjà sur cette base PostgreSQL\u00a0: arrêtez-le d’abord, ou donnez aux deux ESCALE_REDIS_URL (docs/deployment.md).',
    'Another server already runs on this PostgreSQL database: stop it first, or give both ESCALE_REDIS_URL (docs/deployment.md).',
  )
}
