import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir, uptime } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { pino } from 'pino'
import { Value } from 'typebox/value'
import {
  instantOf,
  stationOps,
  topicTable,
  type Command,
  type Desired,
  type StationOp,
  type TopicName,
} from '@escale/protocol'
import { createAgent, type Agent } from '../agent.ts'
import { createSimulatedPlatform, type SimulatedPlatform } from '../platform/simulated/simulated-platform.ts'
import type { Platform } from '../platform/platform.ts'
import { withoutPower } from '../platform/power.ts'
import { createMemoryStore, type Store } from '../store.ts'
import { createHandServer, type HandServer, type HandServerOptions } from '../testing/hand-server.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Station {
  server: HandServer
  agent: Agent
  platform: SimulatedPlatform
}

const agentOptions = (server: HandServer, store: Store = createMemoryStore()) => ({
  server: 'http://127.0.0.1:9',
  credentials: {
    kind: 'identity' as const,
    stationId: 'pc-01',
    mqttSecret: 'secret',
    mqttUrl: server.url,
  },
  store,
  log: pino({ level: 'silent' }),
})

async function startAgent(server: HandServer, store?: Store) {
  const platform = createSimulatedPlatform({ seed: 7 })
  const agent = createAgent({ ...agentOptions(server, store), platform })
  closers.push(agent.stop)
  await agent.start()
  return { agent, platform }
}

async function startStation(options: Partial<HandServerOptions> = {}): Promise<Station> {
  const server = await createHandServer({ stationId: 'pc-01', ...options })
  closers.push(server.stop)
  const started = await startAgent(server)
  await server.hears('reported')
  return { server, ...started }
}

const session = (server: HandServer, seconds: number): Desired['session'] => ({
  id: 's-1',
  displayName: 'Ada',
  grantedSeconds: seconds,
  remainingSeconds: seconds,
  endsAt: instantOf(server.nowUnixMs() + seconds * 1_000),
})

const command = (server: HandServer, over: Partial<Command>): Command => ({
  id: 'c-1',
  op: 'identify',
  params: {},
  expiresAt: instantOf(server.nowUnixMs() + 60_000),
  ...over,
})

const acks = ({ server }: Pick<Station, 'server'>, id: string) =>
  server.heard
    .filter(({ name, payload }) => name === 'ack' && payload.id === id)
    .map(({ payload }) => payload.status)

describe('a station on the bus', () => {
  const told = ({ heard }: HandServer) =>
    heard.flatMap(({ name, payload }) => (name === 'heartbeat' ? [] : [payload.op ?? name]))
  const timesAsked = (server: HandServer) => told(server).filter((what) => what === 'time').length

  it('says presence, then asks the time, then reports; the time five times in all', async () => {
    const { server } = await startStation()
    expect(told(server).slice(0, 2)).toEqual(['presence', 'time'])
    expect(server.heard[0]).toMatchObject({
      retain: true,
      payload: { online: true, cause: 'birth', connectionSeq: 1 },
    })
    await expect.poll(() => timesAsked(server)).toBe(5)
  })

  it('looks for its card anew at each connection', async () => {
    const { server, platform } = await startStation()
    platform.identity = (asked) => {
      expect(asked.href).toBe(server.url)
      const card = { ipAddress: '198.51.100.4', macAddress: '52:54:00:12:34:56' }
      return Promise.resolve({ hostname: 'h', os: 'Debian', ...card })
    }
    server.cut()
    expect(await server.hears('presence', ({ connectionSeq }) => connectionSeq === 2)).toMatchObject({
      payload: { ipAddress: '198.51.100.4', macAddress: '52:54:00:12:34:56' },
    })
  })

  it('reports to a slow server once the time is known, and asks the rest of the five meanwhile', async () => {
    const { server } = await startStation({ answersAfterMs: 400 })
    expect(timesAsked(server)).toBeLessThan(5)
    await expect.poll(() => timesAsked(server), { timeout: 5_000 }).toBe(5)
  })

  it('publishes nothing outside its schema, and what the golden files show', async () => {
    const station = await startStation()
    const { server, agent } = station
    server.answerWith(({ op }) => {
      if (op === 'validate_code') {
        return { ok: true, data: { sessionId: 's-1', displayName: 'Ada', grantedSeconds: 1 } }
      }
      return op === 'time' ? undefined : { ok: true, data: {} }
    })
    agent.typeCode('ABCD-2345')
    await server.hears('request', ({ op }) => op === 'start_session')
    await server.desire({ version: 1, state: 'active', session: session(server, 60) })
    await server.hears('reported', ({ state }) => state === 'active')
    await server.command(command(server, {}))
    await server.hears('ack', ({ status }) => status === 'applied')
    agent.callStaff('help')
    await server.hears('request', ({ op }) => op === 'call_staff')
    agent.endSession()
    await server.hears('request', ({ op }) => op === 'end_session')
    await server.desire({ version: 2, state: 'active', session: { ...session(server, 1)!, id: 's-2' } })
    await server.hears('events')
    await agent.stop()
    await server.hears('presence', ({ cause }) => cause === 'clean')

    for (const { name, payload } of server.heard) {
      expect([name, Value.Errors(topicTable[name].payload, payload)]).toEqual([name, []])
      if (name === 'request') {
        const { op, params } = payload as { op: StationOp; params: unknown }
        expect([op, Value.Errors(stationOps[op].params, params)]).toEqual([op, []])
      }
      await expectLikeGolden(name, payload)
    }
  })

  it('shows a code’s refusal as the server gives it', async () => {
    const { server, agent } = await startStation()
    server.answerWith(({ op }) =>
      op === 'validate_code'
        ? { ok: false, error: { code: 'code-throttled', message: 'Non.', retryAfterSeconds: 30 } }
        : undefined,
    )
    agent.typeCode('ABCD-2345')
    await expect.poll(() => agent.view().entry).toMatchObject({ kind: 'refused', code: 'code-throttled' })
    expect(agent.view().entry.retryAfterSeconds).toBeGreaterThan(28)
  })

  it('sends a question again under its id when the connection was lost before the answer', async () => {
    const { server, agent } = await startStation()
    agent.typeCode('ABCD-2345')
    const first = await server.hears('request', ({ op }) => op === 'validate_code')
    server.heard.length = 0
    server.cut()
    const again = await server.hears('request', ({ op }) => op === 'validate_code')
    expect(again.payload).toEqual(first.payload)
    expect(await server.hears('presence', ({ cause }) => cause === 'birth')).toMatchObject({
      payload: { connectionSeq: 2 },
    })
  })

  it('leaves a will that says the connection was lost', async () => {
    const { server } = await startStation()
    server.cut()
    const { payload, retain } = await server.hears('presence', ({ cause }) => cause === 'lost')
    expect(payload).toMatchObject({ online: false, connectionSeq: 1 })
    expect(retain).toBe(true)
  })

  it('counts by the server’s clock, hours away from its own, and ends on time alone', async () => {
    const { server } = await startStation({ offsetMs: 7 * 3_600_000 })
    const endsAtUnixMs = server.nowUnixMs() + 1_000
    await server.desire({ version: 5, state: 'active', session: session(server, 1) })
    await server.hears('reported', ({ state }) => state === 'cleaning')
    expect(Math.abs(server.nowUnixMs() - endsAtUnixMs)).toBeLessThan(150)
  })

  it('ends without the server, and tells the event once the server is back', async () => {
    const { server, agent } = await startStation()
    const port = Number(new URL(server.url).port)
    await server.desire({ version: 5, state: 'active', session: session(server, 1) })
    await server.hears('reported', ({ state }) => state === 'active')
    await server.stop()
    await expect.poll(() => agent.view().phase, { timeout: 3_000 }).toBe('locked')
    const back = await createHandServer({ stationId: 'pc-01', port })
    closers.push(back.stop)
    const { payload } = await back.hears('events', ({ kind }) => kind === 'session_ended')
    expect(payload).toMatchObject({ details: { sessionId: 's-1', reason: 'expired', version: 5 } })
    expect(await back.hears('reported')).toMatchObject({ payload: { version: 5, state: 'locked' } })
  })

  it('logs why it cannot connect, once for each reason', async () => {
    const first = await createHandServer({ stationId: 'pc-01' })
    const port = Number(new URL(first.url).port)
    await first.stop()
    const reasons: string[] = []
    const write = (line: string) => {
      const { level, err } = JSON.parse(line) as { level: number; err?: { message: string } }
      if (level === 40 && err) reasons.push(err.message)
    }
    const agent = createAgent({
      ...agentOptions(first),
      platform: createSimulatedPlatform({ seed: 7 }),
      log: pino({}, { write }),
    })
    closers.push(agent.stop)
    await agent.start()
    await expect.poll(() => reasons, { timeout: 10_000 }).toEqual([expect.stringContaining('ECONNREFUSED')])
    const second = await createHandServer({ stationId: 'pc-01', port })
    closers.push(second.stop)
    second.refuse()
    await expect.poll(() => reasons, { timeout: 20_000 }).toHaveLength(2)
    expect(reasons[1]).toContain('Bad username or password')
  }, 40_000)

  it('goes on from what was left when it is restarted without its server', async () => {
    const store = createMemoryStore()
    const server = await createHandServer({ stationId: 'pc-01' })
    const first = await startAgent(server, store)
    await server.desire({ version: 5, state: 'active', session: session(server, 600) })
    await server.hears('reported', ({ state }) => state === 'active')
    await server.stop()
    await first.agent.stop()
    const second = await startAgent(server, store)
    const view = second.agent.view()
    expect(view).toMatchObject({ phase: 'active', isOnline: false })
    expect(view.countdown?.remainingMs).toBeLessThanOrEqual(600_000)
    expect(view.countdown?.remainingMs).toBeGreaterThan(595_000)
  })

  it('beats as often as the site’s configuration says', async () => {
    const { server, agent } = await startStation()
    await server.configure({
      heartbeatIntervalMs: 100,
      warningsSeconds: [300],
      maxSuspendedMinutes: 30,
      language: 'en',
      branding: { siteName: 'Médiathèque' },
      terms: '',
    })
    await server.hears('heartbeat', ({ seq }) => seq === 5)
    expect(agent.view()).toMatchObject({ siteName: 'Médiathèque', language: 'en' })
  })

  it('is not disturbed by messages outside their schema', async () => {
    const { server, agent } = await startStation()
    // No type allows what a wrong server may send.
    await server.desire({ version: -1, state: 'open' } as unknown as Desired)
    await server.desire({ version: 3, state: 'maintenance' })
    await server.hears('reported', ({ state }) => state === 'maintenance')
    expect(agent.view().phase).toBe('maintenance')
  })
})

describe('commands', () => {
  it('act once by id, and every copy gets both answers', async () => {
    const station = await startStation()
    const { server, platform } = station
    const reboot = command(server, { op: 'reboot' })
    await server.command(reboot)
    await server.command(reboot)
    await expect.poll(() => acks(station, 'c-1').length).toBe(4)
    expect(acks(station, 'c-1').filter((status) => status === 'applied')).toHaveLength(2)
    expect(platform.done.filter((what) => what === 'reboot')).toHaveLength(1)
  })

  it.each([
    ['after their expiry', { expiresAt: instantOf(0) }],
    ['meant for another start of the agent', { bootId: 'another' }],
  ])('are refused %s', async (_, over) => {
    const station = await startStation()
    await station.server.command(command(station.server, { op: 'reboot', ...over }))
    await station.server.hears('ack')
    expect(acks(station, 'c-1')).toEqual(['expired'])
    expect(station.platform.done).not.toContain('reboot')
  })

  it.each<[string, Partial<Command>, string]>([
    ['an update', { op: 'update' }, 'update-unavailable'],
    ['a message without a text', { op: 'message' }, 'invalid-params'],
    ['a reboot in a week', { op: 'reboot', params: { delaySeconds: 604_800 } }, 'invalid-params'],
    ['a cancellation of nothing', { op: 'cancel' }, 'invalid-params'],
  ])('that cannot be done say why: %s', async (_, over, error) => {
    const { server } = await startStation()
    await server.command(command(server, over))
    const { payload } = await server.hears('ack', ({ status }) => status === 'failed')
    expect(payload.error).toBe(error)
  })

  it('lock is applied once the document has closed the session, and fails where none comes', async () => {
    const { server } = await startStation()
    await server.desire({ version: 5, state: 'active', session: session(server, 60) })
    await server.command(command(server, { id: 'too-early', op: 'lock' }))
    await server.hears('ack', ({ id, status }) => id === 'too-early' && status === 'failed')
    await server.command(command(server, { id: 'crossed', op: 'lock' }))
    await server.hears('ack', ({ id }) => id === 'crossed')
    await server.desire({ version: 6, state: 'suspended', session: session(server, 60) })
    await server.command(command(server, { id: 'right', op: 'lock' }))
    await server.hears('ack', ({ id, status }) => id === 'right' && status === 'applied')
    await server.hears('ack', ({ id, status }) => id === 'crossed' && status === 'applied')
  })

  it('are remembered over a restart of the agent, those that it was carrying out, too', async () => {
    const server = await createHandServer({ stationId: 'pc-01' })
    closers.push(server.stop)
    const store = createMemoryStore()
    const first = await startAgent(server, store)
    await server.hears('reported')
    await server.command(command(server, { id: 'done', op: 'reboot' }))
    await server.hears('ack', ({ id, status }) => id === 'done' && status === 'applied')
    await server.command(command(server, { id: 'late', op: 'reboot', expiresAt: instantOf(0) }))
    await server.hears('ack', ({ id, status }) => id === 'late' && status === 'expired')
    await first.agent.stop()
    const taken = await store.readCommands()
    const machineRanSeconds = uptime()
    await store.writeCommands([
      ...taken,
      { id: 'cut', op: 'shutdown', toldAtUptimeSeconds: machineRanSeconds + 1_000 },
      { id: 'still-up', op: 'shutdown', toldAtUptimeSeconds: machineRanSeconds - 1 },
      { id: 'planned', op: 'shutdown' },
      { id: 'half', op: 'lock' },
    ])

    server.heard.length = 0
    const second = await startAgent(server, store)
    await server.hears('reported')
    for (const id of ['done', 'late', 'cut', 'still-up', 'planned', 'half'])
      await server.command(command(server, { id, op: 'shutdown' }))
    const station = { server }
    await server.hears('ack', ({ id, status }) => id === 'half' && status === 'failed')
    await expect.poll(() => acks(station, 'cut')).toEqual(['delivered', 'applied'])
    expect(acks(station, 'done')).toEqual(['delivered', 'applied'])
    for (const id of ['still-up', 'planned']) expect(acks(station, id)).toEqual(['delivered', 'failed'])
    expect(acks(station, 'late')).toEqual(['expired'])
    expect(second.platform.done).not.toContain('shutdown')
  })

  it('a reboot that is put off is said on the screen, and applied once its time has come', async () => {
    const { server, agent, platform } = await startStation()
    await server.command(command(server, { op: 'reboot', params: { delaySeconds: 1 } }))
    await server.hears('ack', ({ status }) => status === 'delivered')
    await expect.poll(() => agent.view().goingDown).toMatchObject({ op: 'reboot' })
    expect(agent.view().goingDown?.remainingMs).toBeLessThanOrEqual(1_000)
    expect(acks({ server }, 'c-1')).toEqual(['delivered'])
    expect(platform.done).not.toContain('reboot')
    await server.hears('ack', ({ status }) => status === 'applied')
    expect(platform.done).toContain('reboot')
  })

  const later = (server: HandServer, id: string, op: 'reboot' | 'shutdown' = 'reboot') =>
    server.command(command(server, { id, op, params: { delaySeconds: 3_600 } }))
  const failureOf = async (server: HandServer, id: string) =>
    (await server.hears('ack', (ack) => ack.id === id && ack.status === 'failed')).payload.error

  it('a reboot that is put off can be cancelled: the banner goes, and nothing happens', async () => {
    const { server, agent, platform } = await startStation()
    await later(server, 'r')
    await expect.poll(() => agent.view().goingDown).toMatchObject({ op: 'reboot' })
    await server.command(command(server, { id: 'c', op: 'cancel', params: { commandId: 'r' } }))
    expect(await failureOf(server, 'r')).toBe('cancelled')
    await server.hears('ack', ({ id, status }) => id === 'c' && status === 'applied')
    expect(agent.view().goingDown).toBeUndefined()
    expect(platform.done).not.toContain('reboot')
    await server.command(command(server, { id: 'again', op: 'cancel', params: { commandId: 'r' } }))
    expect(await failureOf(server, 'again')).toBe('not-pending')
  })

  it('a cancellation that overtakes its command refuses it when it comes', async () => {
    const { server, platform } = await startStation()
    await server.command(command(server, { id: 'c', op: 'cancel', params: { commandId: 'r' } }))
    await server.hears('ack', ({ id, status }) => id === 'c' && status === 'applied')
    await server.command(command(server, { id: 'r', op: 'reboot' }))
    expect(await failureOf(server, 'r')).toBe('cancelled')
    expect(platform.done).not.toContain('reboot')
  })

  it('a second order to go down takes the place of the first', async () => {
    const { server, agent } = await startStation()
    await later(server, 'first', 'shutdown')
    await expect.poll(() => agent.view().goingDown).toMatchObject({ op: 'shutdown' })
    await later(server, 'second')
    expect(await failureOf(server, 'first')).toBe('superseded')
    await expect.poll(() => agent.view().goingDown).toMatchObject({ op: 'reboot' })
  })

  const startWith = async (change: (platform: SimulatedPlatform) => Platform) => {
    const server = await createHandServer({ stationId: 'pc-01' })
    closers.push(server.stop)
    const simulated = createSimulatedPlatform({ seed: 7 })
    const agent = createAgent({ ...agentOptions(server), platform: change(simulated) })
    closers.push(agent.stop)
    await agent.start()
    await server.hears('reported')
    return { server, agent, simulated }
  }

  it.each(['reboot', 'shutdown'] as const)(
    '%s of a machine that the agent is not in charge of is refused, and no visitor hears of it',
    async (op) => {
      const { server, agent, simulated } = await startWith(withoutPower)
      const shown: unknown[] = []
      const look = () => shown.push(agent.view().goingDown)
      await server.command(command(server, { op, params: { delaySeconds: 60 } }))
      look()
      expect(await failureOf(server, 'c-1')).toBe('power-not-managed')
      look()
      expect(shown).toEqual([undefined, undefined])
      expect(simulated.done).not.toContain(op)
    },
  )

  it('a reboot that the machine refuses when its time has come has failed, and the banner goes', async () => {
    const { server, agent } = await startWith((platform) => ({
      ...platform,
      reboot: () => Promise.reject(new Error('Call to Reboot failed: Interactive authentication required.')),
    }))
    await server.command(command(server, { op: 'reboot', params: { delaySeconds: 1 } }))
    await expect.poll(() => agent.view().goingDown).toMatchObject({ op: 'reboot' })
    expect(await failureOf(server, 'c-1')).toBe('power-failed')
    expect(agent.view().goingDown).toBeUndefined()
  })

  it('what a screen should show fails where no page shows the screen, and is done once one does', async () => {
    const server = await createHandServer({ stationId: 'pc-01' })
    closers.push(server.stop)
    const pageDir = await mkdtemp(join(tmpdir(), 'escale-page-'))
    await writeFile(join(pageDir, 'index.html'), '<!doctype html><title>Escale</title>')
    const agent = createAgent({
      ...agentOptions(server),
      platform: createSimulatedPlatform({ seed: 7 }),
      screen: { port: 0, pageDir },
    })
    closers.push(agent.stop)
    await agent.start()
    await server.hears('reported')
    const message = { op: 'message', params: { text: 'Fermeture' } } as const
    await server.command(command(server, { id: 'unseen', ...message }))
    await server.command(command(server, { id: 'unseen-too', op: 'identify' }))
    expect(await failureOf(server, 'unseen')).toBe('screen-not-open')
    expect(await failureOf(server, 'unseen-too')).toBe('screen-not-open')
    expect(agent.view()).toMatchObject({ notices: [], isIdentifying: false })

    await server.command(command(server, { id: 'seen', ...message }))
    await server.hears('ack', ({ id, status }) => id === 'seen' && status === 'delivered')
    const stream = new AbortController()
    closers.push(() => {
      stream.abort()
      return Promise.resolve()
    })
    await fetch(`${agent.screenUrl()}api/state`, {
      headers: { accept: 'text/event-stream' },
      signal: stream.signal,
    })
    await server.hears('ack', ({ id, status }) => id === 'seen' && status === 'applied')
    expect(agent.view().notices).toMatchObject([{ id: 'seen', text: 'Fermeture' }])
  })

  it('a message is on the screen', async () => {
    const { server, agent } = await startStation()
    await server.command(command(server, { op: 'message', params: { text: 'Fermeture', level: 'warning' } }))
    await expect
      .poll(() => agent.view().notices)
      .toEqual([{ id: 'c-1', text: 'Fermeture', level: 'warning' }])
  })
})

/** What the agent emits has the golden message's fields, each of the same type. */
async function expectLikeGolden(name: TopicName, payload: Record<string, unknown>): Promise<void> {
  const variant = payload.op ?? payload.cause ?? payload.status ?? payload.kind ?? payload.state
  const path = new URL(`../../../protocol/golden/${name}.json`, import.meta.url)
  const messages = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>[]
  const shapes = messages.map(shapeOf)
  expect(shapes, `${name} ${String(variant)}`).toContainEqual(shapeOf(payload))
}

function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]))
}
