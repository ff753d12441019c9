import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Session } from '@escale/protocol'
import { lostSecondsOf } from '../../domain/credit.ts'
import type { SessionClock } from '../../domain/session.ts'
import { startTestApp, type TestApp } from '../../testing/app.ts'

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })

const SECOND = 1_000
const MINUTE = 60_000
let test: TestApp
beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

/** A station with a session. `boot` connects it and publishes the birth message of a start. */
async function stationWithSession(fields: object = {}) {
  const session = await test.startSession({ minutes: 10, ...fields })
  const { stationId } = session
  const { secret } = await test.enrol(stationId)
  const boot = async (bootId: string) => {
    const { client } = await test.mqtt(stationId, secret)
    const say = (kind: string, payload: object) =>
      client.publishAsync(`escale/v1/stations/${stationId}/${kind}`, JSON.stringify(payload), { qos: 1 })
    await say('presence', {
      ...{ online: true, cause: 'birth', bootId, agentVersion: '1', hostname: stationId },
      ...{ os: 'Debian', ipAddress: '192.0.2.1', macAddress: '02:00:00:00:00:01' },
    })
    return { client, say }
  }
  return { session, stationId, boot }
}

const give = (id: string, body: object = {}) =>
  test.call<Session & { code: string }>('POST', `/api/sessions/${id}/give_credit/`, { body })

describe('minutes lost while a station was down', () => {
  it('become a credit when the station is back after a restart; it is listed and can be given once', async () => {
    const { session, stationId, boot } = await stationWithSession()
    await boot('boot-1')
    test.advanceClock(3 * MINUTE)
    await boot('boot-2')
    expect((await test.session(session.id)).creditSeconds).toBe(180)
    const listed = await test.done<{ results: Session[] }>('GET', '/api/sessions/?hasCredit=true')
    expect(listed.results.map(({ id }) => id)).toEqual([session.id])
    const [noted] = await test.journal(`action=session.credit_noted&stationId=${stationId}`)
    expect(noted).toMatchObject({
      details: { lostSeconds: 180, cause: 'station-down' },
      sessionId: session.id,
    })

    const before = await test.session(session.id)
    expect(await give(session.id)).toMatchObject({
      status: 200,
      body: { id: session.id, creditSeconds: 0, grantedSeconds: before.grantedSeconds + 180 },
    })
    expect(await give(session.id)).toMatchObject({ status: 409, body: { code: 'no-credit' } })
    expect(await test.journal(`action=session.credit_given&sessionId=${session.id}`)).toHaveLength(1)
  })

  it('are zero after a network failure, because the visitor could continue', async () => {
    const { session, boot } = await stationWithSession()
    const { client } = await boot('boot-1')
    await client.endAsync()
    test.advanceClock(3 * MINUTE)
    await boot('boot-1')
    expect((await test.session(session.id)).creditSeconds).toBe(0)
  })

  it('of a session that expired in this time go to the visitor’s next session, never to another visitor’s', async () => {
    const { id: userId } = await test.createUser()
    const { session, boot } = await stationWithSession({ userId })
    await boot('boot-1')
    test.advanceClock(8 * MINUTE)
    await test.done('GET', `/api/sessions/${session.id}/time_remaining/`)
    test.advanceClock(4 * MINUTE)
    const tooLate = await test.call('POST', `/api/sessions/${session.id}/add_time/`, { body: { minutes: 1 } })
    expect(tooLate).toMatchObject({ status: 409, body: { code: 'session-ended' } })
    expect((await test.session(session.id)).state).toBe('ended')
    await boot('boot-2')
    expect((await test.session(session.id)).creditSeconds).toBe(600)
    expect(await give(session.id)).toMatchObject({ status: 409, body: { code: 'no-session-for-credit' } })
    const stranger = await test.createUser({ firstName: 'Ada' })
    const foreign = await test.createSession({ userId: stranger.id })
    expect((await give(session.id, { toSessionId: foreign.id })).body.code).toBe('no-session-for-credit')
    const next = await test.createSession({ userId, minutes: 20 })
    expect((await give(session.id)).body).toMatchObject({ id: next.id, grantedSeconds: 1_800 })
    expect((await test.session(session.id)).creditSeconds).toBe(0)
  })

  it('of an anonymous pass go to the session that the operator names', async () => {
    const { session, boot } = await stationWithSession()
    await boot('boot-1')
    test.advanceClock(MINUTE)
    await boot('boot-2')
    await test.done('POST', `/api/sessions/${session.id}/terminate/`)
    expect((await give(session.id)).body.code).toBe('no-session-for-credit')
    const { id } = await test.createSession({ minutes: 10 })
    expect((await give(session.id, { toSessionId: id })).body).toMatchObject({ id, grantedSeconds: 660 })
  })

  it('include a grant that the station never received, and are logged', async () => {
    const { session, stationId, boot } = await stationWithSession()
    const { say } = await boot('boot-1')
    const { version = 0 } = (await test.station(stationId)).document ?? {}
    await test.done('POST', `/api/sessions/${session.id}/add_time/`, { minutes: 5 })
    test.advanceClock(10 * MINUTE + SECOND)
    await say('events', {
      ...{ bootId: 'boot-1', seq: 0, at: session.endsAt, kind: 'session_ended' },
      details: { sessionId: session.id, reason: 'expired', version },
    })
    expect(await test.session(session.id)).toMatchObject({ state: 'ended', creditSeconds: 300 })
    const [noted] = await test.journal(`action=session.credit_noted&stationId=${stationId}`)
    expect(noted).toMatchObject({ details: { lostSeconds: 300, cause: 'grant-unseen' } })
  })
})

describe('the time that a session lost', () => {
  const active: SessionClock = {
    state: 'active',
    ...{ grantedSeconds: 600, creditSeconds: 0, consumedMs: 0, codeExpiresAtMs: 0 },
    ...{ startedAtMs: 100_000, runningSinceMs: 100_000 },
  }
  const expired: SessionClock = {
    ...active,
    ...{ state: 'ended', endReason: 'expired', runningSinceMs: undefined },
    ...{ endedAtMs: 700_000, consumedMs: 600_000 },
  }
  it.each<[string, SessionClock, [number, number], number]>([
    ['is the time down', active, [200_000, 260_000], 60],
    ['begins with the session', active, [0, 160_000], 60],
    ['ends with the session', expired, [640_000, 9_000_000], 60],
    [
      'is nothing while it was suspended',
      { ...active, state: 'suspended', runningSinceMs: undefined },
      [0, 9e5],
      0,
    ],
    ['is nothing if an operator ended it', { ...expired, endReason: 'terminated' }, [640_000, 9e5], 0],
    ['does not include a quick restart of the agent', active, [200_000, 209_000], 0],
    ['is at most the time used', { ...expired, consumedMs: 30_000 }, [100_000, 700_000], 30],
  ])('%s', (_, session, [fromMs, untilMs], seconds) => {
    expect(lostSecondsOf(session, fromMs, untilMs)).toBe(seconds)
  })
})
