import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { App } from '../../app.ts'
import type { Room } from '../../domain/room.ts'
import { createAppEvents } from '../../events.ts'
import { createMemoryPeers } from '../../testing/memory-peers.ts'
import { startTestApp, useFakeTime, type TestApp } from '../../testing/app.ts'
import { rowsIn } from '../../testing/rows.ts'
import { createPresenceRepository } from './repository.ts'
import { createRoomStore } from './store.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

vi.setConfig({ testTimeout: 180_000, hookTimeout: 30_000 })

let site: ReturnType<typeof createMemoryPeers>
let test: TestApp
let other: App
beforeEach(async () => {
  useFakeTime()
  site = createMemoryPeers()
  test = await startTestApp({ isFollowingDate: true, connectPeers: async () => site.join() })
  other = await test.startAnother()
})
afterEach(() => test.stop({ isErrorExpected: true }))

const macs = Array.from({ length: 40 }, (_, n) => `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`)
/** Users who have had a session. */
const users: string[] = []

/** Everything in a room that the database stores too, in a fixed order. */
function contentsOf(room: Room) {
  const stations = [...room.stations()].map(({ record, presence, running, state, searchText }) => ({
    ...{ record, presence, state, searchText },
    running: running && [running.id, running.version],
  }))
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
  return JSON.parse(
    JSON.stringify({
      stations: stations.sort((a, b) => byId(a.record, b.record)),
      sessions: [...room.sessions()].map((session) => inOrder({ movedBackMs: 0, ...session })).sort(byId),
      stats: room.stationStats(),
      sorted: room
        .sortedStations()
        .map((station) => [station.record.id, station === room.station(station.record.id)]),
      byMac: macs.map((mac) => room.stationByMac(mac)?.record.id),
      runningAt: stations.map(({ record }) => [record.id, room.runningAt(record.id)?.id]).sort(),
      runningOf: users.map((id) => room.runningOf(id)?.version),
    }),
  ) as object
}

const inOrder = <T extends object>(record: T): T =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))) as T

/** The room as the database has it now, without live connections. */
async function readAfresh(): Promise<object> {
  const rows = rowsIn(test.db)
  const repository = createPresenceRepository(test.db)
  const room = createRoomStore({ ...rows, repository, events: createAppEvents(), clock: { nowMs: () => 0 } })
  for (const record of await rows.stations.findAll()) room.putStation(record)
  for (const [stationId, presence] of await repository.presences()) room.changePresence(stationId, presence)
  for (const session of await rows.sessions.findUnended()) room.putSession(session)
  return contentsOf(room)
}

/** Waits until everything is done: messages of stations are saved, and the other server has read them. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await test.settled()
    await vi.advanceTimersByTimeAsync(SECOND)
  }
  await test.settled()
}

async function expectSame(): Promise<void> {
  await settle()
  const saved = await readAfresh()
  expect(contentsOf(test.app.room)).toEqual(saved)
  expect(contentsOf(other.room)).toEqual(saved)
}

const birth = (online: boolean, connectionSeq: number) =>
  JSON.stringify({
    ...{ online, cause: online ? 'birth' : 'lost', bootId: 'boot-1', connectionSeq },
    ...{ agentVersion: '1.2.3', hostname: 'pc', os: 'Debian 13' },
    ...{ ipAddress: '192.0.2.1', macAddress: '02:00:00:00:00:01' },
  })

/** The possible actions in the room. Some of them are refused. */
function createActs() {
  const stations: string[] = []
  const sessions: string[] = []
  let made = 0
  let seq = 0
  const pick = <T>(all: readonly T[], at: number) => all[at % Math.max(1, all.length)]
  /** Picks one of the newest, because most actions are possible on them. */
  const pickNew = <T>(all: readonly T[], at: number) =>
    all.at(-1 - (at % Math.min(5, Math.max(1, all.length))))
  let app = test.app
  const ask = (method: string, url: string, body?: object) =>
    test.call<{ id: string }>(method, url, { ...(body && { body }), app })
  const onStation = (at: number, what: string, body?: object) =>
    ask('POST', `/api/postes/${pick(stations, at) ?? 'none'}/${what}`, body)
  const onSession = (at: number, what: string, body?: object) =>
    ask('POST', `/api/sessions/${pickNew(sessions, at) ?? 'none'}/${what}`, body)
  const granted = (a: number, b: number) => ({
    minutes: 1 + (a % 40),
    ...(a % 3 > 0 && { stationId: pick(stations, b) }),
    ...(a % 2 > 0 && { userId: pick(users, b) }),
  })

  return {
    /** @param isElsewhere whether the request goes to the other server */
    from: (isElsewhere: boolean) => void (app = isElsewhere ? other : test.app),
    acts: {
      addStation: async (a: number) => {
        const id = `pc-${(made += 1)}`
        const macAddress = pick(macs, a)
        const answer = await ask('POST', '/api/postes', { id, label: `Été ${a}`, macAddress })
        if (answer.status === 201) stations.push(id)
      },
      rename: (a: number, b: number) =>
        ask('PUT', `/api/postes/${pick(stations, a) ?? 'none'}`, {
          label: `Accueil ${b}`,
          location: 'Salle',
        }),
      removeStation: (a: number) =>
        a % 4 === 0 ? ask('DELETE', `/api/postes/${pick(stations, a)}`) : undefined,
      maintenance: (a: number) => onStation(a, 'marquer_maintenance'),
      available: (a: number) => onStation(a, 'marquer_disponible'),
      offline: (a: number) => onStation(a, 'marquer_hors_ligne'),
      revoke: (a: number) => onStation(a, 'revoquer'),
      heartbeat: (a: number, b: number) =>
        onStation(a, 'heartbeat', { cpuPercent: b % 100, state: b % 5 ? 'locked' : 'cleaning' }),
      addUser: async () => users.push((await test.createUser()).id),
      grant: async (a: number, b: number) => {
        const { status, body } = await ask('POST', '/api/sessions', granted(a, b))
        if (status === 201) sessions.push(body.id)
      },
      regrant: (a: number, b: number) =>
        ask('PUT', `/api/sessions/${pickNew(sessions, a) ?? 'none'}`, granted(b, a)),
      cancel: (a: number) =>
        a % 3 === 0 ? ask('DELETE', `/api/sessions/${pickNew(sessions, a) ?? 'none'}`) : undefined,
      start: (a: number, b: number) => onSession(a, 'start', { stationId: pick(stations, b) }),
      serve: async (a: number, b: number) => {
        const body = { minutes: 5 + (a % 40), stationId: pick(stations, a), userId: pick(users, b) }
        const { status, body: session } = await ask('POST', '/api/sessions', body)
        if (status !== 201) return
        sessions.push(session.id)
        await ask('POST', `/api/sessions/${session.id}/start`)
      },
      addTime: (a: number, b: number) => onSession(a, 'add_time', { minutes: (b % 20) - 10 || 1 }),
      suspend: (a: number) => onSession(a, 'suspend'),
      resume: (a: number) => onSession(a, 'resume'),
      terminate: (a: number) => onSession(a, 'terminate'),
      giveTime: (a: number) => vi.advanceTimersByTimeAsync((a % 12) * MINUTE),
      speak: async (a: number) => {
        const { id, client } = await connected()
        seq += 1
        await client.publishAsync(`escale/v1/stations/${id}/presence`, birth(a % 3 > 0, seq), { qos: 1 })
      },
    },
  }

  /** A station with a real connection to the first server. */
  async function connected() {
    const id = 'agent'
    if (!speaking) {
      await test.createStation(id)
      const { secret } = await test.enrol(id)
      speaking = { id, secret }
    }
    const { client } = await test.mqtt(id, speaking.secret)
    return { id, client }
  }
}

let speaking: { id: string; secret: string } | undefined

describe('the room in memory', () => {
  it('is the same as the database on both servers, after any actions on either', async () => {
    speaking = undefined
    users.length = 0
    const { acts, from } = createActs()
    const names = Object.keys(acts) as (keyof typeof acts)[]
    const step = fc.record({
      name: fc.constantFrom(...names, 'serve', 'serve', 'terminate', 'addUser'),
      isElsewhere: fc.boolean(),
      a: fc.nat({ max: 10_000 }),
      b: fc.nat({ max: 10_000 }),
    })
    const first = ['addStation', 'addStation', 'addStation', 'addUser', 'serve', 'speak'] as const
    for (const [index, name] of first.entries()) await acts[name](index, index)
    await expectSame()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 60 }), async (steps) => {
        for (const { name, isElsewhere, a, b } of steps) {
          from(isElsewhere)
          await acts[name](a, b)
          await expectSame()
        }
      }),
      { numRuns: 2, endOnFailure: true },
    )
  })

  it('catches up after a time without connection between the servers', async () => {
    const station = await test.createStation()
    const gone = await test.createStation()
    const { id } = await test.startSession()
    const cancelled = await test.createSession()
    await expectSame()
    site.cut()
    await test.done('PUT', `/api/postes/${station.id}`, { label: 'Zinc' })
    await test.done('DELETE', `/api/postes/${gone.id}`)
    await test.done('POST', `/api/sessions/${id}/terminate`)
    await test.done('DELETE', `/api/sessions/${cancelled.id}`)
    await test.startSession()
    site.mend()
    await expectSame()
  })

  it('is the same as the database after a start, whatever happened before', async () => {
    const { id, stationId } = await test.startSession()
    await test.done('POST', `/api/postes/${stationId}/heartbeat`, { cpuPercent: 3 })
    await settle()
    await test.restart()
    expect(test.app.room.session(id)).toMatchObject({ state: 'active', stationId })
    // A station that was online gets a full deadline to send its next message.
    expect(test.app.room.station(stationId)).toMatchObject({ state: 'occupied', presence: { online: true } })
  })

  it('does not contain a write that failed', async () => {
    const { id, stationId } = await test.startSession()
    const { id: marked } = await test.createStation()
    await settle()
    const before = contentsOf(test.app.room)
    await test.db.sequelize.query('ALTER TABLE logs RENAME COLUMN details TO elsewhere')
    const failures = [
      test.call('PUT', `/api/postes/${marked}`, { body: { label: 'Zinc' } }),
      test.call('POST', `/api/postes/${marked}/marquer_maintenance`),
      test.call('POST', `/api/sessions/${id}/terminate`),
      test.call('POST', '/api/sessions', { body: { minutes: 5, stationId } }),
      test.call('POST', '/api/postes', { body: { id: 'new', label: 'Neuf' } }),
      test.call('POST', `/api/postes/${marked}/heartbeat`, { body: {} }),
    ]
    expect((await Promise.all(failures)).map(({ status }) => status)).toEqual(failures.map(() => 500))
    expect(contentsOf(test.app.room)).toEqual(before)
    await test.db.sequelize.query('ALTER TABLE logs RENAME COLUMN elsewhere TO details')
    await expectSame()
  })
})
