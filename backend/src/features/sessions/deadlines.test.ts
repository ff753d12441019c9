import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRoom } from '../../domain/room.ts'
import { createAppEvents } from '../../events.ts'
import type { SessionRecord } from '../../db/rows.ts'
import { pino } from 'pino'
import { startTestApp, useFakeTime, type TestApp } from '../../testing/app.ts'
import { createDeadlines } from './deadlines.ts'

const SECOND = 1_000
const MINUTE = 60_000

beforeEach(() => useFakeTime())
afterEach(() => void vi.useRealTimers())

describe('deadlines in a running server', () => {
  let test: TestApp
  beforeEach(async () => {
    test = await startTestApp({ isFollowingDate: true })
  })
  afterEach(() => test.stop())

  const act = (id: string, action: string, body?: object) =>
    test.done('POST', `/api/sessions/${id}/${action}`, body)

  it('end a session at its instant and lock the station', async () => {
    const { id, stationId, endsAt } = await test.startSession({ minutes: 10 })
    const { secret } = await test.enrol(stationId)
    const { client, messages } = await test.mqtt(stationId, secret)
    await client.subscribeAsync(`escale/v1/stations/${stationId}/desired`)
    expect((await messages.next('/desired')).payload['state']).toBe('active')
    const live = await test.live()
    await live.next('connection_established')

    vi.advanceTimersByTime(10 * MINUTE - 1)
    expect((await test.session(id)).state).toBe('active')
    vi.advanceTimersByTime(1)
    const frame = await live.next('session_terminated')
    expect(frame).toMatchObject({ sessionId: id, endReason: 'expired', remainingSeconds: 0 })
    expect(await test.session(id)).toMatchObject({ state: 'ended', endedAt: endsAt, elapsedSeconds: 600 })
    const { payload } = await messages.next('/desired', ({ state }) => state === 'locked')
    expect(payload).not.toHaveProperty('session')
    const [log] = await test.journal('action=session.expired')
    expect(log).toMatchObject({ sessionId: id, actor: { type: 'system' } })
  })

  it('warn once at each threshold, and again after a grant', async () => {
    const { id } = await test.startSession({ minutes: 6 })
    const live = await test.live()
    await live.next('connection_established')
    const warned = async (seconds: number) => {
      const before = (await test.session(id)).remainingSeconds
      vi.advanceTimersByTime(seconds * SECOND)
      await live.next('time_update', ({ remainingSeconds }) => remainingSeconds === before - seconds)
      await test.settled()
      const warnings = live.frames.filter(({ type }) => type === 'warning')
      live.frames.length = 0
      return warnings.map(({ remainingSeconds }) => remainingSeconds)
    }
    expect(await warned(59)).toEqual([])
    expect(await warned(1)).toEqual([300])
    expect(await warned(179)).toEqual([])
    expect(await warned(1)).toEqual([120])
    await act(id, 'add_time', { minutes: 3 })
    await test.settled()
    expect(await warned(179)).toEqual([])
    expect(await warned(1)).toEqual([120])
    expect(await warned(60)).toEqual([60])
    expect(await warned(30)).toEqual([30])
    expect(await warned(20)).toEqual([10])
  })

  it('warn once after a reduction, as the station does', async () => {
    const { id } = await test.startSession({ minutes: 6 })
    const live = await test.live()
    await live.next('connection_established')
    await act(id, 'add_time', { minutes: -4 })
    const warning = await live.next('warning', ({ sessionId }) => sessionId === id)
    expect(warning).toMatchObject({ remainingSeconds: 120 })
    vi.advanceTimersByTime(SECOND)
    await live.next('time_update', ({ remainingSeconds }) => remainingSeconds === 119)
    expect(live.frames.filter(({ type }) => type === 'warning')).toEqual([])
  })

  it('do not warn of a threshold above the granted time, even after a long time without events', async () => {
    vi.advanceTimersByTime(50 * MINUTE)
    const { id } = await test.startSession({ minutes: 2 })
    await act(id, 'suspend')
    vi.advanceTimersByTime(20 * MINUTE)
    const live = await test.live()
    await live.next('connection_established')
    await act(id, 'resume')
    const short = await test.startSession({ minutes: 1 })
    await test.settled()
    vi.advanceTimersByTime(SECOND)
    await live.next('time_update', ({ remainingSeconds }) => remainingSeconds === 119)
    await live.next('time_update', ({ sessionId }) => sessionId === short.id)
    expect(live.frames.filter(({ type }) => type === 'warning')).toEqual([])
  })

  it('end a session that is suspended too long', async () => {
    const { id } = await test.startSession()
    await act(id, 'suspend')
    // A jump of the fake clock would end waits for a database connection, so nothing may be in progress.
    await test.settled()
    vi.advanceTimersByTime(30 * MINUTE - SECOND)
    await test.settled()
    const live = await test.live()
    await live.next('connection_established')
    expect((await test.session(id)).state).toBe('suspended')
    vi.advanceTimersByTime(SECOND)
    const frame = await live.next('session_terminated')
    expect(frame).toMatchObject({ sessionId: id, endReason: 'suspended_too_long', remainingSeconds: 1_800 })
  })

  it('make an unused code expire', async () => {
    const { id, codeExpiresAt } = await test.createSession()
    // A timer waits an hour at most. Then it queries the database again, which takes real time.
    for (let minutes = 0; minutes < 24 * 60 - 1; minutes += 1) {
      vi.advanceTimersByTime(MINUTE)
      if (minutes % 60 === 0) await test.settled()
    }
    const live = await test.live()
    await live.next('connection_established')
    expect((await test.session(id)).state).toBe('pending')
    vi.advanceTimersByTime(MINUTE)
    const frame = await live.next('session_terminated')
    expect(frame).toMatchObject({ sessionId: id, endReason: 'code_expired' })
    expect((await test.session(id)).endedAt).toBe(codeExpiresAt)
  })

  it('end a session at its own instant although the server was down then', async () => {
    const { id, stationId, endsAt } = await test.startSession({ minutes: 10 })
    const running = await test.startSession({ minutes: 60 })
    await test.close()
    vi.advanceTimersByTime(30 * MINUTE)
    await test.restart()
    expect(await test.session(id)).toMatchObject({ state: 'ended', endReason: 'expired', endedAt: endsAt })
    expect(await test.session(running.id)).toMatchObject({ state: 'active', elapsedSeconds: 1_800 })
    expect((await test.station(stationId)).state).toBe('offline')
    vi.advanceTimersByTime(30 * MINUTE - SECOND)
    const live = await test.live()
    await live.next('connection_established')
    await test.settled()
    vi.advanceTimersByTime(SECOND)
    await live.next('session_terminated', ({ sessionId }) => sessionId === running.id)
  })

  it('stop during their work without an error', async () => {
    await test.startSession({ minutes: 1 })
    await test.settled()
    vi.advanceTimersByTime(MINUTE)
    await test.close()
    expect(test.errors()).toEqual([])
  })
})

describe('deadlines without a server', () => {
  const rules = () => ({ maxSuspendedMs: 30 * MINUTE })

  it('keep the timer of the newest query when an older query answers late', async () => {
    const nowMs = Date.now()
    const events = createAppEvents()
    const room = createRoom()
    events.subscribe((event) => {
      if (event.type === 'sessionChanged') room.putSession(event.session)
    })
    const answers: ((nextMs: number | undefined) => void)[] = []
    const looked = vi.fn(() => new Promise<number | undefined>((resolve) => void answers.push(resolve)))
    const clock = { nowMs: () => Date.now() }
    const log = pino({ level: 'silent' })
    const deadlines = createDeadlines({ sessions: { endDue: looked, rules }, room, events, clock, log })
    const warned: number[] = []
    events.subscribe((event) => {
      if (event.type === 'warned') warned.push(event.remainingSeconds)
    })
    const older = deadlines.start()
    const session = { id: 's', state: 'active', grantedSeconds: 400, consumedMs: 0, runningSinceMs: nowMs }
    const record = { ...session, updatedAtMs: nowMs } as SessionRecord
    events.emit({ type: 'sessionChanged', session: record, effects: [] })
    answers[1]?.(nowMs + 400 * SECOND)
    await vi.advanceTimersByTimeAsync(0)
    answers[0]?.(undefined)
    await older
    await vi.advanceTimersByTimeAsync(100 * SECOND)
    expect(warned).toEqual([300])
    const isStopped = deadlines.stop()
    for (const answer of answers) answer(undefined)
    await isStopped
    expect(vi.getTimerCount()).toBe(0)
  })

  it('try again a second after a failure, and never after a stop', async () => {
    const events = createAppEvents()
    const endDue = vi.fn(() => Promise.reject(new Error('database is away')))
    const clock = { nowMs: () => Date.now() }
    const log = pino({ level: 'silent' })
    const room = createRoom()
    const deadlines = createDeadlines({ sessions: { endDue, rules }, room, events, clock, log })
    await deadlines.start()
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(endDue).toHaveBeenCalledTimes(2)
    await deadlines.stop()
    await vi.advanceTimersByTimeAsync(10 * SECOND)
    expect(endDue).toHaveBeenCalledTimes(2)
  })
})
