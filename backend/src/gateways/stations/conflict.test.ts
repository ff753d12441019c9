import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestApp, useFakeTime, type TestApp } from '../../testing/app.ts'
import { connectStation } from '../../testing/connected-station.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 20_000 })

let test: TestApp
beforeEach(async () => {
  useFakeTime()
  test = await startTestApp({ isFollowingDate: true })
})
afterEach(() => test.stop())

async function station() {
  const { id, say, ask, desired } = await connectStation(test)
  let connectionSeq = 0
  const born = (bootId: string, over: object = {}) =>
    say('presence', {
      ...{ online: true, cause: 'birth', bootId, connectionSeq: (connectionSeq += 1), agentVersion: '1' },
      ...{ hostname: 'h', os: 'o', ipAddress: '192.0.2.1', macAddress: '02:00:00:00:00:01', ...over },
    })
  const lines = (action: string) => test.journal(`action=${action}&stationId=${id}`)
  return { id, born, ask, desired, lines }
}
const bootOf = (document: Record<string, unknown>) =>
  (document['session'] as { bootId?: string } | undefined)?.bootId

describe('a machine that starts again', () => {
  it('causes no conflict, however often, and its session continues with the new boot id', async () => {
    const { id, born, desired, lines } = await station()
    await born('boot-1')
    const session = await test.createSession({ stationId: id })
    await test.done('POST', `/api/sessions/${session.id}/start/`)
    expect(bootOf(await desired(({ state }) => state === 'active'))).toBe('boot-1')
    for (const bootId of ['boot-2', 'boot-3', 'boot-4']) {
      await born('x', { online: false, cause: 'lost', bootId: `boot-${Number(bootId.at(-1)) - 1}` })
      await born(bootId)
      expect(bootOf(await desired((document) => bootOf(document) === bootId))).toBe(bootId)
    }
    expect(await lines('station.conflict_found')).toEqual([])
    expect(await test.station(id)).not.toHaveProperty('conflictAt')
  })

  it('gets its session some seconds later also if the old connection was still open', async () => {
    const { id, born, desired } = await station()
    await born('boot-1')
    const session = await test.createSession({ stationId: id })
    await test.done('POST', `/api/sessions/${session.id}/start/`)
    await desired((document) => bootOf(document) === 'boot-1')
    await born('boot-2')
    await vi.advanceTimersByTimeAsync(4_000)
    expect(bootOf(await desired((document) => bootOf(document) === 'boot-2'))).toBe('boot-2')
  })
})

describe('two machines with one identity', () => {
  it('are noticed once, shown and logged, and no session can start', async () => {
    const { id, born, ask, desired, lines } = await station()
    const { accessCode, id: sessionId } = await test.createSession({ stationId: id })
    for (let i = 0; i < 50; i += 1) await born(`boot-${i % 2}`)
    expect(await lines('station.conflict_found')).toHaveLength(1)
    expect(await test.station(id)).toHaveProperty('conflictAt')
    expect(await desired(({ conflict }) => conflict === true)).toMatchObject({ state: 'locked' })
    expect(await ask('validate_code', { code: accessCode })).toMatchObject({
      error: { code: 'station-conflict' },
    })
    expect(await test.call('POST', `/api/sessions/${sessionId}/start/`)).toMatchObject({
      ...{ status: 409, body: { code: 'station-conflict' } },
    })
  })

  it('cannot take each other’s session or validated code', async () => {
    const { id, born, ask, desired } = await station()
    const { accessCode, id: sessionId } = await test.createSession({ stationId: id })
    const other = await test.createSession({ stationId: id })
    await born('boot-a')
    expect(await ask('validate_code', { code: other.accessCode })).toMatchObject({ ok: true })
    await born('boot-b')
    expect(await ask('start_session', { sessionId: other.id })).toMatchObject({
      error: { code: 'code-not-validated' },
    })
    await ask('validate_code', { code: accessCode })
    await ask('start_session', { sessionId })
    await born('boot-a')
    await vi.advanceTimersByTimeAsync(10_000)
    await born('boot-b')
    const document = await desired(({ conflict }) => conflict === true)
    expect(document).toMatchObject({ state: 'active', session: { id: sessionId, bootId: 'boot-b' } })
  })

  it('end to be a conflict when one of them is silent', async () => {
    const { id, born, ask, desired, lines } = await station()
    const { accessCode } = await test.createSession({ stationId: id })
    await born('boot-a')
    await born('boot-b')
    await born('boot-a')
    const { version } = await desired(({ conflict }) => conflict === true)
    for (let i = 0; i < 8; i += 1) {
      await vi.advanceTimersByTimeAsync(5_000)
      await born('boot-a')
    }
    const after = await desired((document) => Number(document['version']) > Number(version))
    expect(after).toMatchObject({ state: 'locked' })
    expect(after).not.toHaveProperty('conflict')
    expect(await lines('station.conflict_ended')).toHaveLength(1)
    expect(await test.station(id)).not.toHaveProperty('conflictAt')
    expect(await ask('validate_code', { code: accessCode })).toMatchObject({ ok: true })
  })
})
