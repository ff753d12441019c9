import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OperatorRole, Session, Station, User } from '@escale/protocol'
import type { LightMyRequestResponse } from 'fastify'
import type { IClientOptions } from 'mqtt'
import { connectAsync } from 'mqtt'
import { pino } from 'pino'
import { vi } from 'vitest'
import { WebSocket, type ClientOptions } from 'ws'
import { createApp, type App } from '../app.ts'
import { openDatabase, type Store } from '../db/database.ts'
import type { Peers } from '../peers/port.ts'
import { createTestDatabase, watchDatabases } from './database.ts'
import { createTokens } from '../features/auth/index.ts'
import { inboxOf, liveClientOf } from './clients.ts'
import { readDescription, type Description, type Document } from './description.ts'

const ERROR_LEVEL = 50
const HOST = '127.0.0.1'

export interface Call {
  body?: unknown
  /** Access token; the admin's by default, `null` sends none. */
  token?: string | null
  headers?: Record<string, string>
  ip?: string
  /** Another server than the one that the test started. */
  app?: Pick<App, 'http'>
}

export interface Answer<T = Record<string, unknown>> {
  status: number
  headers: LightMyRequestResponse['headers']
  body: T
}

type LiveOptions = ClientOptions & { token?: string | null; protocols?: string[] }

export interface LogLine {
  level: number
  msg: string
  [field: string]: unknown
}

export type TestApp = Awaited<ReturnType<typeof startTestApp>>

/** From here on time moves only as the test says; timers of input and output stay real. */
export function useFakeTime(nowMs = Date.now()): void {
  vi.useFakeTimers({
    now: nowMs,
    toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
  })
}

/**
 * The real server on a database of its own, with operators of each role who are signed in already. Its clock
 * stands still but where it is put forward, or follows `Date`, so that fake timers move it.
 */
export async function startTestApp({
  isFollowingDate = false,
  trustedProxies,
  connectPeers,
}: {
  isFollowingDate?: boolean
  trustedProxies?: string
  /** Where servers of the same site hear each other. */
  connectPeers?: () => Promise<Peers>
} = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'escale-backend-'))
  const { url: databaseUrl, drop } = await createTestDatabase(folder)
  const watch = watchDatabases()
  const tokenKey = randomBytes(32)
  const codeKey = randomBytes(32)
  const siteKey = randomUUID()
  let keptSiteKey = ''
  const lines: LogLine[] = []
  const write = (line: string) => void lines.push(JSON.parse(line) as LogLine)
  const log = pino({ level: 'debug' }, { write })
  let aheadMs = 0
  const startMs = Date.now()
  let wallAheadMs = 0
  const clock = {
    nowMs: () => (isFollowingDate ? Date.now() : startMs) + aheadMs,
    wall: {
      aheadMs: () => wallAheadMs,
      shift(byMs: number) {
        aheadMs += byMs
        wallAheadMs -= byMs
      },
    },
  }
  /** Machines that the server has sent a magic packet to. */
  const woken: string[] = []
  let wake = (macAddress: string) => Promise.resolve(void woken.push(macAddress))
  const disposals: (() => unknown)[] = []
  let ports: { http: number; mqtt: number } | undefined
  let isRunning = false

  const make = async () => {
    const made = await createApp({
      databaseUrl,
      dataDir: folder,
      tokenKey,
      codeKey,
      siteKey,
      keepSiteKey: (key) => void (keptSiteKey = key),
      adminDir: join(folder, 'no-admin'),
      ...(trustedProxies === undefined ? {} : { trustedProxies }),
      ...(connectPeers === undefined ? {} : { connectPeers }),
      wake: (macAddress) => wake(macAddress),
      brokerFor: ({ host }) => ({ mqttUrl: `mqtt://${host}:${ports?.mqtt ?? 0}` }),
      clock,
      log,
    })
    await made.prepare()
    await made.http.ready()
    return made
  }
  let app: App = await make()
  isRunning = true
  const db: Store = await openDatabase(databaseUrl, log)

  const operators = {} as Record<OperatorRole, string>
  for (const role of ['admin', 'operator', 'viewer'] as const) {
    const id = randomUUID()
    const row = {
      id,
      username: role,
      passwordHash: '-',
      role,
      isActive: true,
      version: 1,
      createdAtMs: clock.nowMs(),
    }
    await db.models.operators.create(row)
    operators[role] = id
  }
  /** An access token as the server itself would sign it, good for ten minutes from now. */
  const tokenOf = (role: OperatorRole, key: Uint8Array = tokenKey) =>
    createTokens(key, clock).sign({ sub: operators[role], username: role, role })
  let adminToken = { token: await tokenOf('admin'), untilMs: clock.nowMs() + 300_000 }

  async function bearer(token: string | null | undefined): Promise<Record<string, string>> {
    if (token === null) return {}
    if (token === undefined && adminToken.untilMs < clock.nowMs())
      adminToken = { token: await tokenOf('admin'), untilMs: clock.nowMs() + 300_000 }
    return { authorization: `Bearer ${token ?? adminToken.token}` }
  }

  /** One call through the real application, whatever the answer. */
  async function call<T = Record<string, unknown>>(
    method: string,
    url: string,
    { body, token, headers = {}, ip = HOST, app: asked = app }: Call = {},
  ): Promise<Answer<T>> {
    const auth = headers['authorization'] === undefined ? await bearer(token) : {}
    const isText = typeof body === 'string' || Buffer.isBuffer(body)
    const response = await asked.http.inject({
      method: method as 'GET',
      url,
      headers: {
        ...auth,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: isText ? body : JSON.stringify(body) }),
      remoteAddress: ip,
    })
    const parsed = (response.body === '' ? {} : JSON.parse(response.body)) as T
    const answer = { status: response.statusCode, headers: response.headers, body: parsed }
    requireDescribed(app, method, url, answer)
    return answer
  }

  async function done<T>(method: string, url: string, body?: unknown): Promise<T> {
    const answer = await call<T>(method, url, body === undefined ? {} : { body })
    if (answer.status >= 300)
      throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** A listening server on ports of its own. */
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
    const fakeNowMs = vi.isFakeTimers() ? Date.now() : undefined
    // A pool that is still opening a connection waits for it by a timer.
    vi.useRealTimers()
    await app.close()
    if (fakeNowMs !== undefined) useFakeTime(fakeNowMs)
  }

  let created = 0
  return {
    get app() {
      return app
    },
    db,
    databaseUrl,
    /** Where the server keeps its files. */
    folder,
    clock,
    lines,
    siteKey,
    /** The copy of the site key that the server keeps for people. */
    keptSiteKey: () => keptSiteKey,
    operators,
    woken,
    failWaking: (err: Error) => {
      wake = () => Promise.reject(err)
    },
    tokenOf,
    call,
    done,
    listen,
    close,
    /** The database has answered all that was asked of it, so that time may leap. */
    settled: watch.settled,
    /** What went wrong so far, as the server's own log says. */
    errors: () => lines.filter(({ level }) => level >= ERROR_LEVEL),
    /** Puts the server's clock forward; timers do not notice. */
    advanceClock: (ms: number) => void (aheadMs += ms),
    /** Sets the machine's wall clock, which the server's clock does not follow by itself. */
    stepWallClock: (ms: number) => void (wallAheadMs += ms),
    /** Stops the server and starts another one on the same database. */
    async restart() {
      await close()
      app = await make()
      isRunning = true
    },
    /** Another server on the same database, to be asked by `call`. */
    async startAnother(): Promise<App> {
      const another = await make()
      let closing: Promise<void> | undefined
      const closeOnce = () => (closing ??= another.close())
      disposals.push(closeOnce)
      return { ...another, close: closeOnce }
    },

    createUser: (fields: object = {}) =>
      done<User>('POST', '/api/utilisateurs', {
        firstName: 'Zoé',
        lastName: 'Martin',
        consentGiven: true,
        ...fields,
      }),
    async createStation(id = `pc-${(created += 1)}`, fields: object = {}): Promise<Station> {
      return done('POST', '/api/postes', { id, label: `Poste ${id}`, ...fields })
    },
    createSession: (fields: object = {}) =>
      done<Session & { accessCode: string }>('POST', '/api/sessions', { minutes: 30, ...fields }),
    /** A session under way at a station of its own. */
    async startSession(fields: object = {}): Promise<Session & { stationId: string }> {
      const station = await this.createStation()
      const { id } = await this.createSession({ stationId: station.id, ...fields })
      return done('POST', `/api/sessions/${id}/start`)
    },
    session: (id: string) => done<Session>('GET', `/api/sessions/${id}`),
    station: (id: string) => done<Station>('GET', `/api/postes/${id}`),
    /** What the journal holds of the given actions, oldest first. */
    async journal(filter = ''): Promise<Record<string, unknown>[]> {
      const url = `/api/logs?ordering=id&pageSize=200&${filter}`
      return (await done<{ results: Record<string, unknown>[] }>('GET', url)).results
    },
    /** Gives a station its secret, as enrolment with the site key does. */
    async enrol(stationId: string): Promise<{ secret: string; basic: Record<string, string> }> {
      const mac = `02:00:00:${randomBytes(3).toString('hex').replace(/../g, '$&:').slice(0, -1)}`
      const { label } = await done<Station>('GET', `/api/postes/${stationId}`)
      await done('PUT', `/api/postes/${stationId}`, { label, macAddress: mac })
      const { mqttSecret } = await done<{ mqttSecret: string }>('POST', '/api/postes/enrol', {
        enrolmentKey: siteKey,
        macAddress: mac,
        hostname: stationId,
        os: 'Debian 13',
        agentVersion: '1.0.0',
      })
      const basic = `Basic ${Buffer.from(`${stationId}:${mqttSecret}`).toString('base64')}`
      return { secret: mqttSecret, basic: { authorization: basic } }
    },

    /** A real MQTT client over TCP; `messages` collects and awaits what comes. */
    async mqtt(username: string, password: string, options: IClientOptions = {}) {
      const { mqtt } = await listen()
      const client = await connectAsync(`mqtt://${HOST}:${mqtt}`, {
        clientId: username,
        username,
        password,
        reconnectPeriod: 0,
        keepalive: 0,
        ...options,
      })
      client.on('error', () => undefined)
      disposals.push(() => client.endAsync(true))
      return { client, messages: inboxOf(client) }
    },

    /** A live screen; with `token` null it shows none at first. */
    async live(path = '', { token, protocols, ...options }: LiveOptions = {}) {
      const { http } = await listen()
      const shown = token === null ? undefined : (token ?? (await tokenOf('admin')))
      const offered = protocols ?? ['escale.v1', ...(shown === undefined ? [] : [`bearer.${shown}`])]
      const socket = new WebSocket(`ws://${HOST}:${http}/ws/sessions/${path}`, offered, options)
      disposals.push(() => socket.terminate())
      return liveClientOf(socket)
    },

    /** Ends everything, leaves nothing, and fails when the server logged an error that nobody expected. */
    async stop({ isErrorExpected = false } = {}) {
      vi.useRealTimers()
      for (const dispose of disposals) await dispose()
      await close()
      await db.close()
      await drop()
      watch.end()
      rmSync(folder, { recursive: true, force: true })
      const failures = lines.filter(({ level }) => level >= ERROR_LEVEL)
      if (failures.length > 0 && !isErrorExpected) throw new Error(JSON.stringify(failures, undefined, 2))
    },
  }
}

let description: Description | undefined

/** Whatever a test asks for, the answer keeps to the API's own description. */
function requireDescribed({ http }: App, method: string, url: string, answer: Answer<unknown>): void {
  // The plugin's type covers all versions of OpenAPI; ours is 3.1.
  description ??= readDescription(http.swagger() as unknown as Document)
  const operation = description.find(method, url)
  const faults = operation ? description.faultsOf(operation, answer) : []
  if (faults.length > 0) throw new Error(`${method} ${url}: ${faults.join('; ')}`)
}
