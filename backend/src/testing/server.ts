import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OperatorRole } from '@escale/protocol'
import { pino } from 'pino'
import { vi } from 'vitest'
import { createApp, type App, type AppOptions } from '../app.ts'
import { openDatabase, type Store } from '../db/database.ts'
import { createTokens } from '../features/auth/index.ts'
import { createTestDatabase, watchDatabases } from './database.ts'
import { createTestClock, withRealTimers } from './fake-time.ts'

export const HOST = '127.0.0.1'
const ERROR_LEVEL = 50

export interface LogLine {
  level: number
  msg: string
  [field: string]: unknown
}

export interface TestServerOptions extends Pick<AppOptions, 'trustedProxies' | 'connectPeers'> {
  isFollowingDate?: boolean
}

/** The real server on a database of its own, with an operator of each role, whose tokens can be had. */
export async function startTestServer({ isFollowingDate = false, ...options }: TestServerOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'escale-backend-'))
  const { url: databaseUrl, drop } = await createTestDatabase(folder)
  const watch = watchDatabases()
  const [tokenKey, codeKey, siteKey] = [randomBytes(32), randomBytes(32), randomUUID()]
  const [time, logging, waker] = [createTestClock(isFollowingDate), createTestLog(), createTestWaker()]
  const [{ clock }, { log }] = [time, logging]
  const disposals: (() => unknown)[] = []
  let keptSiteKey = ''
  let ports: { http: number; mqtt: number } | undefined
  let isRunning = true

  const make = async () => {
    const made = await createApp({
      ...options,
      databaseUrl,
      dataDir: folder,
      tokenKey,
      codeKey,
      siteKey,
      keepSiteKey: (key) => void (keptSiteKey = key),
      adminDir: join(folder, 'no-admin'),
      wake: waker.wake,
      brokerFor: ({ host }) => ({ mqttUrl: `mqtt://${host}:${ports?.mqtt ?? 0}` }),
      clock,
      log,
    })
    await made.prepare()
    await made.http.ready()
    return made
  }
  let app: App = await make()
  const db = await openDatabase(databaseUrl, log)
  const operators = await addOperators(db, clock.nowMs())

  /** An access token as the server itself would sign it, good for ten minutes from now. */
  const tokenOf = (role: OperatorRole, key: Uint8Array = tokenKey) =>
    createTokens(key, clock).sign({ sub: operators[role], username: role, role })

  /** Listens on ports of its own. */
  async function listen() {
    if (ports) return ports
    const mqtt = await app.broker.listen({ host: HOST, port: 0 })
    await app.http.listen({ host: HOST, port: 0 })
    const http = app.http.server.address() as { port: number }
    ports = { http: http.port, mqtt: mqtt.port }
    return ports
  }

  async function close() {
    if (!isRunning) return
    isRunning = false
    ports = undefined
    // A pool that is still opening a connection waits for it by a timer.
    await withRealTimers(() => app.close())
  }

  /** Stops the server and starts another one on the same database. */
  async function restart() {
    await close()
    app = await make()
    isRunning = true
  }

  /** Another server on the same database, to be asked by `call`. */
  async function startAnother(): Promise<App> {
    const another = await make()
    let closing: Promise<void> | undefined
    const closeOnce = () => (closing ??= another.close())
    disposals.push(closeOnce)
    return { ...another, close: closeOnce }
  }

  /** Ends everything, leaves nothing, and fails when the server logged an error that nobody expected. */
  async function stop({ isErrorExpected = false } = {}) {
    vi.useRealTimers()
    for (const dispose of disposals) await dispose()
    await close()
    await db.close()
    await drop()
    watch.end()
    rmSync(folder, { recursive: true, force: true })
    const errors = logging.errors()
    if (errors.length > 0 && !isErrorExpected) throw new Error(JSON.stringify(errors, undefined, 2))
  }

  return {
    get app() {
      return app
    },
    db,
    databaseUrl,
    /** Where the server keeps its files. */
    folder,
    ...time,
    ...logging,
    ...waker,
    siteKey,
    /** The copy of the site key that the server keeps for people. */
    keptSiteKey: () => keptSiteKey,
    operators,
    tokenOf,
    listen,
    close,
    restart,
    startAnother,
    stop,
    /** Does something before the server stops. */
    onStop: (dispose: () => unknown) => void disposals.push(dispose),
    /** The database has answered all that it was asked, so that time may leap. */
    settled: watch.settled,
  }
}

function createTestLog() {
  const lines: LogLine[] = []
  const write = (line: string) => void lines.push(JSON.parse(line) as LogLine)
  return {
    log: pino({ level: 'debug' }, { write }),
    lines,
    /** What went wrong so far, as the server's own log says. */
    errors: () => lines.filter(({ level }) => level >= ERROR_LEVEL),
  }
}

function createTestWaker() {
  const woken: string[] = []
  let failure: Error | undefined
  return {
    /** MAC addresses of the machines that the server has sent a magic packet to. */
    woken,
    failWaking: (err: Error) => void (failure = err),
    wake(macAddress: string): Promise<void> {
      if (failure) return Promise.reject(failure)
      woken.push(macAddress)
      return Promise.resolve()
    },
  }
}

async function addOperators(db: Store, createdAtMs: number): Promise<Record<OperatorRole, string>> {
  const ids = { admin: randomUUID(), operator: randomUUID(), viewer: randomUUID() }
  for (const role of ['admin', 'operator', 'viewer'] as const) {
    const fields = { passwordHash: '-', role, isActive: true, version: 1, createdAtMs }
    await db.models.operators.create({ id: ids[role], username: role, ...fields })
  }
  return ids
}
