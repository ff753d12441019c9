import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { pino } from 'pino'
import { createMemoryBus } from '../../testing/memory-bus.ts'
import { createAppEvents } from '../../events.ts'
import { startTestApp, useFakeTime, type TestApp } from '../../testing/app.ts'
import { rowsIn } from '../../testing/rows.ts'
import { createPresences } from './presence.ts'
import { createPresenceRepository } from './repository.ts'
import { createRoomStore } from './store.ts'

type Ports = Parameters<typeof createPresences>[0]

const SECOND = 1_000

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })

let test: TestApp
beforeEach(async () => {
  useFakeTime()
  test = await startTestApp({ isFollowingDate: true })
})
afterEach(async () => {
  await test.stop()
})

const birth = (fields: object = {}) =>
  JSON.stringify({
    online: true,
    cause: 'birth',
    bootId: 'boot-1',
    connectionSeq: 1,
    agentVersion: '1.2.3',
    hostname: 'pc',
    os: 'Debian 13',
    ipAddress: '192.0.2.1',
    macAddress: '02:00:00:00:00:01',
    ...fields,
  })

/** A connected station, and a live screen that shows it. */
async function room() {
  const { id } = await test.createStation()
  const { secret } = await test.enrol(id)
  const live = await test.live()
  await live.next('connection_established')
  const changed = (fits: (station: Record<string, unknown>) => boolean) =>
    live.next('station_changed', ({ station }) => {
      const shown = station as Record<string, unknown>
      return shown['id'] === id && fits(shown)
    })
  const say = (from: Awaited<ReturnType<TestApp['mqtt']>>, kind: string, text: string) =>
    from.client.publishAsync(`escale/v1/stations/${id}/${kind}`, text, { qos: 1 })
  return { id, secret, live, changed, say, connect: (options = {}) => test.mqtt(id, secret, options) }
}

describe('presence', () => {
  it('begins with a birth message and ends with the will of a broken connection', async () => {
    const { id, connect, say, changed } = await room()
    const will = { topic: `escale/v1/stations/${id}/presence`, qos: 1 as const, retain: true }
    const payload = Buffer.from(birth({ online: false, cause: 'lost' }))
    const station = await connect({ will: { ...will, payload } })
    await say(station, 'presence', birth())
    expect(await test.station(id)).toMatchObject({
      online: true,
      state: 'available',
      agentVersion: '1.2.3',
      lastSeenIp: '127.0.0.1',
    })
    station.client.stream.destroy()
    await changed(({ online }) => online === false)
    const logs = (await test.journal(`stationId=${id}`)).slice(-2)
    expect(logs).toMatchObject([
      { action: 'station.online', details: { cause: 'birth' }, actor: { type: 'station' } },
      { action: 'station.offline', details: { cause: 'lost' }, level: 'warning' },
    ])
  })

  it('ends with a clean goodbye, which is not a warning, and the will is not published', async () => {
    const { id, connect, say, changed } = await room()
    const will = { topic: `escale/v1/stations/${id}/presence`, qos: 1 as const, retain: true }
    const payload = Buffer.from(birth({ online: false, cause: 'lost' }))
    const station = await connect({ will: { ...will, payload } })
    await say(station, 'presence', birth())
    await say(station, 'presence', birth({ online: false, cause: 'clean' }))
    await station.client.endAsync()
    await changed(({ online }) => online === false)
    expect((await test.journal(`stationId=${id}`)).slice(-2)).toMatchObject([
      { action: 'station.online' },
      { action: 'station.offline', details: { cause: 'clean' }, level: 'info' },
    ])
  })

  it('ignores the will of a connection that was followed by another one', async () => {
    const { id, connect, say } = await room()
    const station = await connect()
    await say(station, 'presence', birth({ connectionSeq: 2 }))
    await say(station, 'presence', birth({ online: false, cause: 'lost', connectionSeq: 1 }))
    await say(
      station,
      'presence',
      birth({ online: false, cause: 'lost', bootId: 'boot-0', connectionSeq: 9 }),
    )
    expect((await test.station(id)).online).toBe(true)
    const watcher = await test.mqtt('operator', await test.tokenOf('viewer'), { clientId: 'operator:x' })
    await watcher.client.subscribeAsync(`escale/v1/stations/${id}/presence`, { qos: 1 })
    expect((await watcher.messages.next('/presence')).payload).toMatchObject({
      online: true,
      connectionSeq: 2,
    })
  })

  it('does not end when a newer connection of the same client replaces the older one', async () => {
    const { id, connect, say } = await room()
    const will = { topic: `escale/v1/stations/${id}/presence`, qos: 1 as const, retain: true }
    const payload = Buffer.from(birth({ online: false, cause: 'lost' }))
    const older = await connect({ will: { ...will, payload } })
    await say(older, 'presence', birth())
    const isClosed = new Promise<void>((resolve) => older.client.once('close', () => resolve()))
    const newer = await connect()
    await isClosed
    await say(newer, 'presence', birth({ connectionSeq: 2 }))
    const actions = (await test.journal(`stationId=${id}`)).map(({ action }) => String(action))
    expect(actions.filter((action) => /^station\.o(n|ff)line$/.test(action))).toEqual(['station.online'])
  })

  it('ends at the server’s deadline when a station is silent, and returns with any message', async () => {
    const { id, connect, say, changed } = await room()
    const station = await connect()
    await say(station, 'presence', birth())
    vi.advanceTimersByTime(20 * SECOND)
    await say(
      station,
      'reported',
      JSON.stringify({
        version: 1,
        state: 'locked',
        bootId: 'boot-1',
        appliedAt: '2026-01-01T00:00:00.000Z',
      }),
    )
    vi.advanceTimersByTime(24 * SECOND)
    expect((await test.station(id)).online).toBe(true)
    vi.advanceTimersByTime(2 * SECOND)
    await changed(({ online }) => online === false)
    const watcher = await test.mqtt('operator', await test.tokenOf('viewer'), { clientId: 'operator:x' })
    await watcher.client.subscribeAsync(`escale/v1/stations/${id}/presence`, { qos: 1 })
    expect((await watcher.messages.next('/presence')).payload).toMatchObject({
      online: false,
      cause: 'silent',
    })
    await say(station, 'request', JSON.stringify({ id: 'r1', op: 'time', params: {} }))
    expect((await test.station(id)).online).toBe(true)
    expect((await watcher.messages.next('/presence')).payload).toMatchObject({ online: true, cause: 'birth' })
  })

  it('gives a station that was online a whole deadline after a restart', async () => {
    const { id } = await test.createStation()
    await test.done('POST', `/api/postes/${id}/heartbeat`, {})
    await test.close()
    vi.advanceTimersByTime(3_600 * SECOND)
    await test.restart()
    expect((await test.station(id)).online).toBe(true)
    const live = await test.live()
    await live.next('connection_established')
    vi.advanceTimersByTime(25 * SECOND)
    await live.next('station_changed')
    expect((await test.station(id)).online).toBe(false)
  })
})

describe('heartbeats', () => {
  it('update the station’s metrics, which are saved once a second', async () => {
    const { id, connect, say, changed } = await room()
    const station = await connect()
    await say(station, 'presence', birth())
    const beat = (seq: number, cpuPercent: number) =>
      JSON.stringify({
        bootId: 'boot-1',
        seq,
        uptimeSeconds: seq,
        state: 'locked',
        cpuPercent,
        memoryPercent: 1,
        diskPercent: 1,
      })
    await say(station, 'heartbeat', beat(1, 10))
    await say(station, 'heartbeat', beat(2, 20))
    expect((await test.station(id)).metrics).toMatchObject({ cpuPercent: 20, uptimeSeconds: 2 })
    let isShown = false
    void changed(({ metrics }) => (metrics as { cpuPercent?: number } | undefined)?.cpuPercent === 20).then(
      () => (isShown = true),
    )
    // Metrics are saved within a second and sent in the next one. Fake time advances during this wait.
    await vi.waitUntil(() => isShown, { timeout: 10 * SECOND })
    await test.close()
    const row = (await test.db.models.stationPresences.findByPk(id))?.get()
    expect(JSON.parse(row?.metrics ?? '')).toMatchObject({ cpuPercent: 20 })
  })

  it('show at once when a station is being cleaned and when that is finished', async () => {
    const { connect, say, changed } = await room()
    const station = await connect()
    await say(station, 'presence', birth())
    const reported = (state: string) =>
      JSON.stringify({ version: 1, state, bootId: 'boot-1', appliedAt: '2026-01-01T00:00:00.000Z' })
    await changed(({ state }) => state === 'available')
    await say(station, 'reported', reported('cleaning'))
    await changed(({ state }) => state === 'occupied')
    await say(station, 'presence', birth({ online: false, cause: 'lost' }))
    await changed(({ state }) => state === 'offline')
    await say(station, 'presence', birth())
    await changed(({ state }) => state === 'occupied')
    await say(station, 'reported', reported('locked'))
    await changed(({ state }) => state === 'available')
  })

  it('of a station are still saved after values that no database accepts, which are dropped', async () => {
    const { id, connect, say } = await room()
    const station = await connect()
    await say(station, 'presence', birth({ os: 'Debian\0' }))
    expect(await test.station(id)).toMatchObject({ online: false })
    await say(station, 'presence', birth({ connectionSeq: 1e300 }))
    expect(await test.station(id)).toMatchObject({ online: false })
    await say(station, 'presence', birth({ os: '’); DROP TABLE stations; --' }))
    expect(await test.station(id)).toMatchObject({ online: true, os: '’); DROP TABLE stations; --' })
  })

  it('of a station that was just removed do not prevent others from being saved', async () => {
    const { id } = await test.createStation()
    const events = createAppEvents()
    const rows = rowsIn(test.db)
    const repository = createPresenceRepository(test.db)
    const room = createRoomStore({ ...rows, repository, events, clock: test.clock })
    await room.load()
    room.putStation({ ...room.station(id)!.record, id: 'gone', macAddress: null })
    const presences = createPresences({
      database: test.db,
      ...{ stations: rows.stations, repository, room, events },
      unmarkOffline: () => Promise.resolve(),
      hasPeers: true,
      bus: createMemoryBus(),
      journal: { append: () => Promise.resolve() },
      settings: { current: () => ({ heartbeatIntervalMs: 10_000 }) } as Ports['settings'],
      rates: { allows: () => true },
      clock: test.clock,
      log: pino({ level: 'silent' }),
    })
    const beat = (stationId: string, cpuPercent: number) =>
      presences.takeHeartbeat({ cpuPercent }, { type: 'station', id: stationId, label: '' }, '')
    await beat('gone', 1)
    await beat(id, 1)
    await beat(id, 77)
    await presences.stop()
    expect((await test.db.models.stationPresences.findByPk(id))?.get().metrics).toContain('77')
  })
})
