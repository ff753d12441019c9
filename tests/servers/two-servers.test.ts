import { once } from 'node:events'
import type { Log, Operator, Session, SettingsAnswer, Station } from '@escale/protocol'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { RunningAgent } from '../support/agent.ts'
import { request, signIn, type Api } from '../support/api.ts'
import { findPostgres, POSTGRES_HINT } from '../support/postgres.ts'
import { findRedis, REDIS_HINT } from '../support/redis.ts'
import { spawned } from '../support/spawned.ts'
import type { RunningServer } from '../support/server.ts'
import { startSite, type Site } from './site.ts'

const missing = findPostgres() ? (findRedis() ? undefined : REDIS_HINT) : POSTGRES_HINT

/** A change on one server shows on the other within a second. PATIENT is the timeout on busy machines. */
const SHOWN_WITHIN_MS = 1_000
const CUT_WITHIN_MS = 2_000
/** The server itself needs at most four seconds. */
const HANG_NOTICED_WITHIN_MS = 8_000
const PATIENT = { timeout: 30_000, interval: 50 }

const PC_A = { id: 'poste-a', label: 'Poste A', macAddress: '02:00:5e:00:00:0a' }
const PC_B = { id: 'poste-b', label: 'Poste B', macAddress: '02:00:5e:00:00:0b' }

let site: Site
let onA: Api
let onB: Api
let agentA: RunningAgent
let agentB: RunningAgent

beforeAll(async () => {
  if (missing !== undefined) return
  site = await startSite()
  onA = await signIn(site.a)
  onB = await signIn(site.b)
  await onA.post('/api/postes/', PC_A)
  await onA.post('/api/postes/', PC_B)
  agentA = await site.startAgent('a', PC_A.macAddress)
  agentB = await site.startAgent('b', PC_B.macAddress)
})
afterAll(async () => {
  if (missing === undefined) await site.close()
})
beforeEach((context) => context.skip(missing !== undefined, missing))

interface StationView {
  phase: string
  countdown?: { remainingMs: number }
  isOnline: boolean
}

/** What the station's screen shows. */
const viewOf = async ({ screenUrl }: RunningAgent) =>
  (await request<StationView>(new URL('/api/state', screenUrl).href)).body

const waitForPhase = (agent: RunningAgent, phase: string) =>
  vi.waitFor(async () => expect(await viewOf(agent)).toMatchObject({ phase }), PATIENT)

const logsOf = async (api: Api, query: string) =>
  (await api.get<{ results: Log[] }>(`/api/logs/?pageSize=200&${query}`)).results

/** A live screen of one server, and the frames that it has received. */
async function openScreen(server: RunningServer, { token }: Pick<Api, 'token'>) {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/sessions/`, [
    'escale.v1',
    `bearer.${token}`,
  ])
  onTestFinished(() => socket.terminate())
  const frames: Record<string, unknown>[] = []
  socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as Record<string, unknown>))
  const closed = once(socket, 'close').then(([code]) => code as number)
  const shows = (frame: object) =>
    vi.waitFor(
      () =>
        expect(
          frames.some((shown) => isLike(shown, frame)),
          JSON.stringify(frame),
        ).toBe(true),
      PATIENT,
    )
  await shows({ type: 'connection_established' })
  return { closed, shows }
}

const isLike = (frame: Record<string, unknown>, wanted: object) =>
  Object.entries(wanted).every(([name, value]) => frame[name] === value)

async function openBus(server: RunningServer, token: string, clientId: string) {
  const client = await connectAsync(server.mqttUrl, {
    clientId,
    username: 'operator',
    password: token,
    reconnectPeriod: 0,
  })
  onTestFinished(() => client.endAsync(true))
  return { client, closed: new Promise<void>((resolve) => client.once('close', resolve)) }
}

/** Creates and starts a session at a station through one server. */
async function startSession(api: Api, stationId: string, minutes: number): Promise<Session> {
  const { id } = await api.post<Session>('/api/sessions/', { stationId, minutes })
  return api.post<Session>(`/api/sessions/${id}/start/`)
}

/** Waits until both servers report this state of Redis. */
async function waitForRedis(redis: 'connected' | 'unreachable') {
  for (const { url } of [site.a, site.b]) {
    await vi.waitFor(async () => {
      expect((await request(`${url}/readyz`)).body).toEqual({ status: 'ready', redis })
    }, PATIENT)
  }
}

/** Disables on A an operator who has a live screen and an MQTT connection on B; both must close. */
async function disableOnA(username: string) {
  const credentials = { username, password: 'un-mot-de-passe-bien-long' }
  const { id } = await onA.post<Operator>('/api/operateurs/', { ...credentials, role: 'operator' })
  const signedIn = await signIn({ url: site.b.url, ...credentials })
  const screen = await openScreen(site.b, signedIn)
  const bus = await openBus(site.b, signedIn.token, `operator:${username}`)
  const disabledAtMs = performance.now()
  await onA.put(`/api/operateurs/${id}/`, { role: 'operator', isActive: false })
  expect(await screen.closed).toBe(4401)
  await bus.closed
  expect(performance.now() - disabledAtMs).toBeLessThan(CUT_WITHIN_MS)
  const headers = { authorization: `Bearer ${signedIn.token}` }
  expect((await request(`${site.b.url}/api/postes/`, { headers })).status).toBe(401)
}

describe('two servers of one site', () => {
  test('each server shows the stations of the other', async () => {
    for (const api of [onA, onB]) {
      await vi.waitFor(async () => {
        const { results } = await api.get<{ results: Station[] }>('/api/postes/?ordering=id')
        expect(results).toMatchObject([
          { id: PC_A.id, state: 'available' },
          { id: PC_B.id, state: 'available' },
        ])
      }, PATIENT)
    }
    expect((await request(`${site.b.url}/readyz`)).body).toEqual({ status: 'ready', redis: 'connected' })
  })

  test('time granted on one server shows on a station and a live screen of the other within a second', async () => {
    const screen = await openScreen(site.b, onB)
    const session = await startSession(onA, PC_B.id, 5)
    await screen.shows({ type: 'session_started', sessionId: session.id })
    await waitForPhase(agentB, 'active')
    const grantedAtMs = performance.now()
    await onA.post(`/api/sessions/${session.id}/add_time/`, { minutes: 10 })
    await Promise.all([
      vi.waitFor(
        async () => expect((await viewOf(agentB)).countdown?.remainingMs).toBeGreaterThan(800_000),
        PATIENT,
      ),
      screen.shows({ type: 'time_added', sessionId: session.id, addedSeconds: 600 }),
    ])
    expect(performance.now() - grantedAtMs).toBeLessThan(SHOWN_WITHIN_MS)
    await onA.post(`/api/sessions/${session.id}/terminate/`)
    await screen.shows({ type: 'session_terminated', sessionId: session.id })
    await waitForPhase(agentB, 'locked')
  })

  test('a command sent on one server runs on a station of the other, after the session has ended', async () => {
    const session = await startSession(onA, PC_B.id, 5)
    await waitForPhase(agentB, 'active')
    const { commands } = await onA.post<{ commands: { id: string }[] }>(`/api/postes/${PC_B.id}/commands/`, {
      op: 'logout',
    })
    await waitForPhase(agentB, 'locked')
    await vi.waitFor(async () => {
      expect(await onA.get(`/api/postes/commands/${commands[0]?.id}/`)).toMatchObject({ status: 'applied' })
    }, PATIENT)
    expect(await onB.get(`/api/sessions/${session.id}/`)).toMatchObject({ endReason: 'terminated' })
  })

  test('subscribers of one server get each message of the other’s stations once, retained ones included', async () => {
    const { client: bus } = await openBus(site.a, onA.token, 'operator:listener')
    const received: string[] = []
    bus.on('message', (topic, payload) => {
      const message = JSON.parse(payload.toString()) as {
        online?: boolean
        kind?: string
        sessionId?: string
      }
      received.push(`${topic} ${message.sessionId ?? message.online ?? ''}`)
    })
    await bus.subscribeAsync(['escale/v1/stations/+/presence', 'escale/v1/events/#'], { qos: 1 })
    // Retained by the first server, although the station published it on the second.
    await vi.waitFor(() => expect(received).toContain(`escale/v1/stations/${PC_B.id}/presence true`), PATIENT)
    const { id } = await startSession(onB, PC_B.id, 5)
    await onB.post(`/api/sessions/${id}/terminate/`)
    await vi.waitFor(() => expect(received).toContain(`escale/v1/events/session.terminated ${id}`), PATIENT)
    expect(received.filter((line) => line.endsWith(id)).map((line) => line.split(' ')[0])).toEqual(
      ['created', 'started', 'terminated'].map((kind) => `escale/v1/events/session.${kind}`),
    )
    await waitForPhase(agentB, 'locked')
  })

  test('settings changed on one server apply on the other and its stations', async () => {
    const before = await onA.get<SettingsAnswer>('/api/parametres/')
    const { jobs: _jobs, ...values } = before
    await onA.put('/api/parametres/', { ...values, siteName: 'Médiathèque Simone-Veil', sessionsPerDay: 7 })
    await vi.waitFor(async () => {
      expect(await onB.get('/api/parametres/')).toMatchObject({ sessionsPerDay: 7 })
      expect(await viewOf(agentB)).toMatchObject({ siteName: 'Médiathèque Simone-Veil' })
    }, PATIENT)
  })

  test('an operator disabled on one server is disconnected from the other within two seconds', () =>
    disableOnA('bea'))

  test('a connection to one server replaces an older one of the same client to the other, whose will is not published', async () => {
    const old = await openBus(site.a, onA.token, 'operator:tab')
    await openBus(site.b, onB.token, 'operator:tab')
    await old.closed
  })

  test('both servers show the result of a job that was run by hand', async () => {
    const byHand = spawned(process.execPath, ['backend/src/cli/run-job.ts', 'session_report'], {
      env: site.env,
    })
    expect(await byHand.ended).toBe(0)
    for (const api of [onA, onB]) {
      const { jobs } = await api.get<SettingsAnswer>('/api/parametres/')
      expect(jobs.find(({ name }) => name === 'session_report')).toMatchObject({ lastOutcome: 'done' })
    }
  })

  test('the servers notice a Redis that hangs, and apply later what was done meanwhile', async () => {
    const frozenAtMs = performance.now()
    site.redisProxy.freeze()
    // No other server gets the news of this session.
    const { id } = await startSession(onB, PC_A.id, 5)
    await waitForRedis('unreachable')
    expect(performance.now() - frozenAtMs).toBeLessThan(HANG_NOTICED_WITHIN_MS)
    await waitForPhase(agentA, 'active')
    site.redisProxy.thaw()
    await waitForRedis('connected')
    await onB.post(`/api/sessions/${id}/terminate/`)
    await waitForPhase(agentA, 'locked')
  })

  test('without Redis both continue with the database, and use Redis again when it is back', async () => {
    const screen = await openScreen(site.b, onB)
    await site.redis.kill()
    await waitForRedis('unreachable')
    // A server updates its own stations at once. The other server's stations follow when that one polls the database.
    const own = await startSession(onB, PC_B.id, 5)
    await waitForPhase(agentB, 'active')
    const across = await startSession(onB, PC_A.id, 5)
    await waitForPhase(agentA, 'active')
    await onA.post(`/api/sessions/${own.id}/terminate/`)
    await waitForPhase(agentB, 'locked')
    await screen.shows({ type: 'time_update', sessionId: own.id, state: 'ended' })
    await disableOnA('zoe')
    // A station can connect in this time.
    expect((await viewOf(agentA)).isOnline).toBe(true)
    await site.redis.restart()
    await waitForRedis('connected')
    await onB.post(`/api/sessions/${across.id}/terminate/`)
    await waitForPhase(agentA, 'locked')
  })

  test('when one server is killed, its stations connect to the other, nothing is lost, and sessions end once and on time', async () => {
    const watcher = await openScreen(site.b, onB)
    const session = await startSession(onA, PC_A.id, 1)
    await waitForPhase(agentA, 'active')
    const granted = await onA.post<Session>('/api/sessions/', { stationId: PC_B.id, minutes: 30 })
    // Writes that are confirmed just before the server is killed.
    const last = Array.from({ length: 20 }, () =>
      onA.post<Session>('/api/sessions/', { minutes: 5 }).catch((err: unknown) => {
        // fetch throws a TypeError when the connection breaks.
        if (!(err instanceof TypeError)) throw err
        return undefined
      }),
    )
    await Promise.race(last)
    await site.a.kill()
    const answered = (await Promise.all(last)).flatMap((made) => made ?? [])
    expect(answered.length).toBeGreaterThan(0)
    for (const { id } of [granted, ...answered]) {
      expect(await onB.get(`/api/sessions/${id}/`)).toMatchObject({ id, state: 'pending' })
    }
    await vi.waitFor(async () => expect((await viewOf(agentA)).isOnline).toBe(true), PATIENT)
    expect(await onB.get(`/api/postes/${PC_A.id}/`)).toMatchObject({ online: true, state: 'occupied' })
    // The station follows its new server.
    await onB.post(`/api/sessions/${session.id}/add_time/`, { minutes: -1 })
    await waitForPhase(agentA, 'locked')
    await watcher.shows({ type: 'session_terminated', sessionId: session.id })
    await vi.waitFor(async () => {
      expect(await onB.get(`/api/sessions/${session.id}/`)).toMatchObject({
        state: 'ended',
        endReason: 'expired',
      })
    }, PATIENT)
    const ends = await logsOf(onB, `sessionId=${session.id}&action=session.expired`)
    expect(ends).toHaveLength(1)
    expect((await logsOf(onB, `stationId=${PC_A.id}&action=station.offline`)).length).toBe(0)
    expect(
      await spawned(process.execPath, ['backend/src/cli/audit-verify.ts'], { env: site.env }).ended,
    ).toBe(0)
  })
})
