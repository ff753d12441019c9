import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMonotonicClock } from '../../clock.ts'
import { startTestApp, type TestApp } from '../../testing/app.ts'

const HOUR = 3_600_000

let test: TestApp
beforeEach(async () => {
  test = await startTestApp()
})
afterEach(() => test.stop())

const isFollowed = (fromMs: number, byMs: number) =>
  vi.waitFor(() => expect(test.clock.nowMs()).toBe(fromMs + byMs), { timeout: 10_000 })

describe.each([
  ['put forward', 24 * HOUR],
  ['put back', -24 * HOUR],
])('a wall clock that is %s by a day', (_, stepMs) => {
  it('is followed and logged, and no session gains or loses time', async () => {
    const active = await test.startSession({ minutes: 30 })
    const paused = await test.startSession({ minutes: 30 })
    await test.done('POST', `/api/sessions/${paused.id}/suspend`)
    test.advanceClock(600_000)
    const { secret } = await test.enrol(active.stationId)
    const station = await test.mqtt(active.stationId, secret)
    await station.client.subscribeAsync(`escale/v1/stations/${active.stationId}/desired`, { qos: 1 })
    const before = (await station.messages.next('/desired')).payload as {
      version: number
      session: { endsAt: string }
    }
    const fromMs = test.clock.nowMs()
    test.stepWallClock(stepMs)
    await isFollowed(fromMs, stepMs)
    const after = (await station.messages.next('/desired', ({ version }) => version !== before.version))
      .payload
    expect(after['version']).toBeGreaterThan(before.version)
    expect(after).toMatchObject({
      sentAt: new Date(fromMs + stepMs).toISOString(),
      session: {
        remainingSeconds: 1_200,
        endsAt: new Date(Date.parse(before.session.endsAt) + stepMs).toISOString(),
      },
    })
    expect(await test.session(active.id)).toMatchObject({ state: 'active', remainingSeconds: 1_200 })
    expect(await test.session(paused.id)).toMatchObject({ state: 'suspended', remainingSeconds: 1_800 })
    test.advanceClock(19 * 60_000)
    expect(await test.session(active.id)).toMatchObject({ state: 'active', remainingSeconds: 60 })
    expect(test.lines).toContainEqual(expect.objectContaining({ level: 40, stepMs }))
  })

  it('makes no station silent, and a silent one is still noticed', async () => {
    const { id } = await test.createStation()
    await test.done('POST', `/api/postes/${id}/heartbeat`, {})
    const fromMs = test.clock.nowMs()
    test.stepWallClock(stepMs)
    await isFollowed(fromMs, stepMs)
    expect((await test.station(id)).online).toBe(true)
  })
})

describe('the server’s clock', () => {
  it('follows only the monotonic clock until it accepts the new wall-clock time', () => {
    let wallMs = 1_000_000
    let monotonicMs = 10
    const clock = createMonotonicClock(
      () => wallMs,
      () => monotonicMs,
    )
    monotonicMs += 500
    wallMs += 500 - HOUR
    expect(clock.nowMs()).toBe(1_000_500)
    expect(clock.wall.aheadMs()).toBe(-HOUR)
    clock.wall.shift(-HOUR)
    expect(clock.nowMs()).toBe(1_000_500 - HOUR)
    expect(clock.wall.aheadMs()).toBe(0)
  })
})
