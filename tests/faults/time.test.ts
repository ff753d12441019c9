import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Log, Page, Session } from '@escale/protocol'
import { afterAll, beforeAll, describe, test, type ExpectStatic } from 'vitest'
import { openScreenStream } from '../bench/screen-stream.ts'
import { startAgentAs, type RunningAgent } from '../support/agent.ts'
import { signIn, type Api } from '../support/api.ts'
import { FAKETIME_HINT, findFaketime, openFakeWallClock, type FakeWallClock } from '../support/faketime.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { enrolStation, macOf, type Identity } from '../support/station-client.ts'
import { openTcpProxy } from '../support/tcp-proxy.ts'

/** The shortest session. The tests run at the same time, because they only wait for its end. */
const MINUTE_MS = 60_000
/** Largest allowed error of a session's end. */
const MOST_ERROR_MS = 250
const TEN_YEARS_SECONDS = 3_652 * 86_400

const isFakeable = findFaketime() !== undefined
/** How late timers of this process run on a busy machine. The station's timers may be as late. */
const machineDelay = monitorEventLoopDelay({ resolution: 10 })

let server: RunningServer
let serverWall: FakeWallClock | undefined
let api: Api
const identities = new Map<string, Identity>()
const NAMES = ['years-off', 'jumps', 'beside', 'cut', 'half-open', 'frozen'] as const

beforeAll(async () => {
  if (isFakeable) serverWall = await openFakeWallClock()
  server = await startServer({ env: { ...serverWall?.env } })
  api = await signIn(server)
  for (const [index, name] of NAMES.entries())
    identities.set(name, await enrolStation(server, api, name, macOf(index)))
  machineDelay.enable()
})
afterAll(async () => {
  await server.dispose()
  await serverWall?.dispose()
})

const identityOf = (name: (typeof NAMES)[number]) => {
  const identity = identities.get(name)
  if (!identity) throw new Error(`no ${name}`)
  return identity
}

interface Run {
  sessionId: string
  /** Resolves with how late the station locked, ms. 0 if it was between the earliest and the latest correct instant. */
  errorMs: Promise<number>
}

/** Starts a session of one minute at a station, and waits for its end on the screen. */
async function startMinute(agent: RunningAgent, stationId: string): Promise<Run> {
  const stream = await openScreenStream(agent.screenUrl)
  const { id } = await api.post<{ id: string }>('/api/sessions/', { stationId, minutes: 1 })
  const opened = stream.next((view) => view.phase === 'active')
  const earliestMs = performance.now() + MINUTE_MS
  await api.post(`/api/sessions/${id}/start/`)
  const latestMs = performance.now() + MINUTE_MS
  await opened
  const errorMs = stream
    .next((view) => view.phase !== 'active')
    .then((endedMs) => {
      stream.close()
      return endedMs < earliestMs ? endedMs - earliestMs : Math.max(0, endedMs - latestMs)
    })
  return { sessionId: id, errorMs }
}

/** Waits until the server's session has ended. */
async function endedSession(sessionId: string): Promise<Session> {
  for (;;) {
    const session = await api.get<Session>(`/api/sessions/${sessionId}/`)
    if (session.state === 'ended') return session
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const lengthMs = ({ startedAt = '', endedAt = '' }: Session) => Date.parse(endedAt) - Date.parse(startedAt)

async function timesInJournal(action: string, sessionId: string): Promise<number> {
  const { results } = await api.get<Page<Log>>(
    `/api/logs/?action=${action}&sessionId=${sessionId}&pageSize=200`,
  )
  return results.length
}

const afterMs = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe.concurrent('a session of one minute ends at most 250 ms too early or too late', () => {
  const faked = test.runIf(isFakeable)
  if (!isFakeable) test('with a wrong wall clock', (context) => context.skip(true, FAKETIME_HINT))

  /** Runs a session of one minute at a station, and `disturb` during it. */
  async function runMinute(
    name: (typeof NAMES)[number],
    expect: ExpectStatic,
    agent: RunningAgent,
    disturb: (run: Run) => Promise<unknown>,
  ): Promise<Session> {
    const run = await startMinute(agent, name)
    const [errorMs] = await Promise.all([run.errorMs, disturb(run)])
    const delayMs = machineDelay.max / 1e6
    process.stdout.write(`${name}: locked ${errorMs.toFixed(0)} ms late (machine ${delayMs.toFixed(0)} ms)\n`)
    expect(errorMs).toBeGreaterThan(-MOST_ERROR_MS)
    expect(errorMs).toBeLessThan(MOST_ERROR_MS + delayMs)
    const session = await endedSession(run.sessionId)
    expect(Math.abs(lengthMs(session) - MINUTE_MS)).toBeLessThan(MOST_ERROR_MS + delayMs)
    expect(await timesInJournal('session.expired', run.sessionId)).toBe(1)
    await agent.dispose()
    return session
  }

  faked('on a station whose clock is ten years off', async ({ expect }) => {
    const wall = await openFakeWallClock(TEN_YEARS_SECONDS)
    const agent = await startAgentAs(server.url, identityOf('years-off'), wall.env)
    await runMinute('years-off', expect, agent, () => Promise.resolve())
    await wall.dispose()
  })

  faked('on a station whose clock jumps forward and then far back', async ({ expect }) => {
    const wall = await openFakeWallClock()
    const agent = await startAgentAs(server.url, identityOf('jumps'), wall.env)
    await runMinute('jumps', expect, agent, async () => {
      await afterMs(10_000)
      await wall.set(3_600)
      await afterMs(20_000)
      await wall.set(-TEN_YEARS_SECONDS)
    })
    await wall.dispose()
  })

  faked('while the server’s wall clock is set forward and then back', async ({ expect }) => {
    const agent = await startAgentAs(server.url, identityOf('beside'))
    await runMinute('beside', expect, agent, async () => {
      await afterMs(15_000)
      await serverWall?.set(3 * 3_600)
      await server.process().waitFor(/wall clock was set/)
      await afterMs(15_000)
      await serverWall?.set(-3_600)
    })
    expect(
      server
        .process()
        .output()
        .match(/wall clock was set/g)?.length,
    ).toBeGreaterThan(1)
  })

  test('on a station that is cut off (a grant that it never received becomes a credit, and the end is logged once)', async ({
    expect,
  }) => {
    const proxy = await openTcpProxy({ port: Number(new URL(server.url).port) })
    const agent = await startAgentAs(`http://127.0.0.1:${proxy.port}`, identityOf('cut'))
    let locked: Promise<number> | undefined
    const session = await runMinute('cut', expect, agent, async (run) => {
      locked = run.errorMs
      await afterMs(8_000)
      proxy.cut(true)
      await api.post(`/api/sessions/${run.sessionId}/add_time/`, { minutes: 2 })
      await locked
      proxy.mend()
    })
    expect(session).toMatchObject({ endReason: 'expired', grantedSeconds: 180, creditSeconds: 120 })
    await proxy.close()
  })

  test('on a station whose connection is closed only on the server’s side', async ({ expect }) => {
    const proxy = await openTcpProxy({ port: Number(new URL(server.url).port) })
    const agent = await startAgentAs(`http://127.0.0.1:${proxy.port}`, identityOf('half-open'))
    const session = await runMinute('half-open', expect, agent, async () => {
      await afterMs(5_000)
      proxy.halfOpen()
    })
    expect(session).toMatchObject({ endReason: 'expired', creditSeconds: 0 })
    await proxy.close()
  })

  test('on a station behind a slow network that freezes for half a minute', async ({ expect }) => {
    const proxy = await openTcpProxy({ port: Number(new URL(server.url).port) })
    proxy.delay(120)
    proxy.split(7)
    const agent = await startAgentAs(`http://127.0.0.1:${proxy.port}`, identityOf('frozen'))
    await runMinute('frozen', expect, agent, async () => {
      await afterMs(5_000)
      proxy.freeze()
      await afterMs(30_000)
      proxy.thaw()
    })
    await proxy.close()
  })
})
