import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestApp, useFakeTime, type TestApp } from '../../testing/app.ts'

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })

const MINUTE = 60_000
let test: TestApp
beforeEach(async () => {
  useFakeTime()
  test = await startTestApp()
})
afterEach(() => test.stop())

/** The session of a station after its end. */
const ended = (id: string) =>
  vi.waitFor(async () => {
    const session = await test.session(id)
    expect(session.state).toBe('ended')
    return session
  })

/** Lets the time pass in which the server waits for the station's event, and waits until the result is committed. */
async function waitWithoutEvent() {
  await vi.advanceTimersByTimeAsync(2_000)
  await test.db.write(async () => undefined)
  await test.db.write(async () => undefined)
}

/** A session of half an hour that has run for ten minutes, and its station on the bus. */
async function running() {
  const { id, stationId } = await test.startSession({ minutes: 30 })
  const { secret } = await test.enrol(stationId)
  const { client, messages } = await test.mqtt(stationId, secret)
  const topic = (kind: string) => `escale/v1/stations/${stationId}/${kind}`
  await client.subscribeAsync(topic('desired'), { qos: 1 })
  const version = Number((await messages.next('/desired')).payload['version'])
  const startedAtMs = test.clock.nowMs()
  test.advanceClock(10 * MINUTE)
  const say = (kind: string, payload: object) =>
    client.publishAsync(topic(kind), JSON.stringify(payload), { qos: 1 })
  const at = (ms: number) => new Date(ms).toISOString()
  const report = (over: object = {}) =>
    say('reported', { version, state: 'locked', bootId: 'b', appliedAt: at(test.clock.nowMs()), ...over })
  const tellEnd = (atMs: number, over: object = {}) =>
    say('events', {
      ...{ bootId: 'b', seq: 1, at: at(atMs), kind: 'session_ended' },
      details: { sessionId: id, reason: 'logged_out', version, ...over },
    })
  const ends = () => test.journal(`action=session.terminated&sessionId=${id}`)
  return { id, stationId, version, startedAtMs, at, report, tellEnd, ends }
}

describe('a station that reports locked while its session is active', () => {
  it('ends the session once, however often it reports', async () => {
    const { id, report, ends, at } = await running()
    const nowMs = test.clock.nowMs()
    await report()
    await report()
    await waitWithoutEvent()
    await ended(id)
    await report()
    await waitWithoutEvent()
    expect(await test.session(id)).toMatchObject({
      ...{ state: 'ended', endReason: 'logged_out', endedAt: at(nowMs), elapsedSeconds: 600 },
    })
    expect(await ends()).toHaveLength(1)
  })

  it('ends the session as its following event says, and this is logged once', async () => {
    const { id, stationId, startedAtMs, version, report, tellEnd, ends, at } = await running()
    await test.done('POST', `/api/sessions/${id}/add_time/`, { minutes: 60 })
    await report({ version: (await test.station(stationId)).document?.version })
    const endedMs = startedAtMs + 8 * MINUTE
    await tellEnd(endedMs, { version })
    await waitWithoutEvent()
    expect(await test.session(id)).toMatchObject({
      ...{ endReason: 'logged_out', endedAt: at(endedMs), elapsedSeconds: 480, creditSeconds: 3_600 },
    })
    expect(await ends()).toHaveLength(1)
  })

  it('corrects the end by an event that arrives later', async () => {
    const { id, startedAtMs, report, tellEnd, at } = await running()
    await report()
    await waitWithoutEvent()
    await ended(id)
    const endedMs = startedAtMs + 8 * MINUTE
    await tellEnd(endedMs)
    expect(await test.session(id)).toMatchObject({
      ...{ state: 'ended', endReason: 'logged_out', endedAt: at(endedMs), elapsedSeconds: 480 },
    })
  })

  it('changes nothing if its event arrived before', async () => {
    const { id, startedAtMs, report, tellEnd, ends, at } = await running()
    const endedMs = startedAtMs + 8 * MINUTE
    await tellEnd(endedMs)
    await report()
    await waitWithoutEvent()
    expect(await test.session(id)).toMatchObject({ endedAt: at(endedMs), elapsedSeconds: 480 })
    expect(await ends()).toHaveLength(1)
  })

  it('lets the session expire if its time is over', async () => {
    const { id, startedAtMs, report, at } = await running()
    test.advanceClock(25 * MINUTE)
    await report()
    await waitWithoutEvent()
    expect(await ended(id)).toMatchObject({
      ...{ endReason: 'expired', endedAt: at(startedAtMs + 30 * MINUTE), remainingSeconds: 0 },
    })
  })

  it.each([
    ['for an older version', (version: number) => ({ version: version - 1 })],
    ['while it cleans up', () => ({ state: 'cleaning' })],
    ['before it is enrolled', () => ({ state: 'pairing' })],
  ])('changes nothing %s', async (_, over) => {
    const { id, version, report } = await running()
    await report(over(version))
    await waitWithoutEvent()
    expect(await test.session(id)).toMatchObject({ state: 'active' })
  })

  it('changes nothing if the session is suspended', async () => {
    const { id, report } = await running()
    await test.done('POST', `/api/sessions/${id}/suspend/`)
    await report()
    await waitWithoutEvent()
    expect(await test.session(id)).toMatchObject({ state: 'suspended' })
  })

  it('ends the session between its start and now, whatever instant it reports', async () => {
    for (const atMs of [0, 10 * 365 * 1_440 * MINUTE * 10]) {
      const { id, startedAtMs, report, at } = await running()
      const nowMs = test.clock.nowMs()
      await report({ appliedAt: at(atMs) })
      await waitWithoutEvent()
      const session = await ended(id)
      expect(Date.parse(session.endedAt ?? '')).toBeGreaterThanOrEqual(startedAtMs)
      expect(Date.parse(session.endedAt ?? '')).toBeLessThanOrEqual(nowMs)
    }
  })
})

describe('an end that a station reports', () => {
  it('gives no credit for a grant that the station has reported as applied, even with a wrong instant and version', async () => {
    const { id, stationId, startedAtMs, report, tellEnd } = await running()
    await test.done('POST', `/api/sessions/${id}/add_time/`, { minutes: 60 })
    const version = (await test.station(stationId)).document?.version
    await report({ state: 'active', version })
    await tellEnd(startedAtMs - 1_440 * MINUTE, { version: 0 })
    expect(await test.session(id)).toMatchObject({ state: 'ended', creditSeconds: 0, elapsedSeconds: 0 })
  })
})
