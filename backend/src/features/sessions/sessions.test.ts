import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Problem, Session, SessionTime } from '@escale/protocol'
import { startTestApp, type TestApp } from '../../testing/app.ts'

const MINUTE = 60_000
let test: TestApp

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

interface Page<T> {
  count: number
  next: string | null
  previous: string | null
  results: T[]
}

const act = <T = Session>(id: string, action: string, body?: object, headers?: Record<string, string>) =>
  test.call<T & Problem>('POST', `/api/sessions/${id}/${action}`, { body, headers })

describe('the life of a session', () => {
  it('is logged step by step, without the code or a name', async () => {
    const user = await test.createUser({ firstName: 'Séraphine' })
    const station = await test.createStation()
    const created = await test.createSession({ userId: user.id, stationId: station.id })
    expect(created).toMatchObject({ state: 'pending', grantedSeconds: 1_800, remainingSeconds: 1_800 })
    expect(created.accessCode).toMatch(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/)
    expect((await act(created.id, 'start')).body).toMatchObject({ state: 'active', remainingSeconds: 1_800 })
    test.advanceClock(90_500)
    expect((await act(created.id, 'add_time', { minutes: 10 })).body).toMatchObject({
      grantedSeconds: 2_400,
      elapsedSeconds: 90,
      remainingSeconds: 2_310,
    })
    const suspended = await act(created.id, 'suspend')
    expect(suspended.body).toMatchObject({ state: 'suspended', remainingSeconds: 2_310 })
    expect(suspended.body.endsAt).toBeUndefined()
    test.advanceClock(5 * MINUTE)
    expect((await act(created.id, 'resume')).body).toMatchObject({ state: 'active', remainingSeconds: 2_310 })
    const ended = await act(created.id, 'terminate', { reason: 'fermeture' })
    expect(ended.body).toMatchObject({ state: 'ended', endReason: 'terminated', elapsedSeconds: 90 })

    const logs = await test.journal(`sessionId=${created.id}`)
    expect(logs.map(({ action }) => action)).toEqual([
      'session.created',
      'session.started',
      'session.time_added',
      'session.suspended',
      'session.resumed',
      'session.terminated',
    ])
    expect(logs.at(-1)).toMatchObject({ details: { endReason: 'terminated', reason: 'fermeture' } })
    for (const log of logs) {
      expect(log).toMatchObject({ actor: { type: 'operator', id: test.operators.admin }, userId: user.id })
    }
    const text = JSON.stringify(logs) + JSON.stringify(test.lines)
    for (const secret of ['Séraphine', created.accessCode, created.accessCode.replace('-', '')])
      expect(text).not.toContain(secret)
  })

  it('shows its code once, and the database does not store it', async () => {
    const { id, accessCode } = await test.createSession()
    expect(await test.session(id)).not.toHaveProperty('accessCode')
    const row = await test.db.models.sessions.findByPk(id)
    expect(JSON.stringify(row)).not.toContain(accessCode.replace('-', ''))
  })

  it('refuses actions that its state does not allow, with a reason', async () => {
    const { id } = await test.createSession()
    for (const [action, code] of [
      ['suspend', 'session-not-active'],
      ['resume', 'session-not-suspended'],
    ] as const)
      expect(await act(id, action)).toMatchObject({ status: 409, body: { code } })
    expect((await act(id, 'terminate')).body.state).toBe('ended')
    for (const action of ['suspend', 'resume', 'terminate'])
      expect(await act(id, action)).toMatchObject({ status: 409, body: { code: 'session-ended' } })
    expect(await act(id, 'add_time', { minutes: 1 })).toMatchObject({
      status: 409,
      body: { code: 'session-ended' },
    })
    expect(await act('unknown', 'terminate')).toMatchObject({ status: 404, body: { code: 'not-found' } })
  })

  it('returns its time with the fields of a time_update', async () => {
    const { id, stationId } = await test.startSession({ minutes: 10 })
    test.advanceClock(61_999)
    const { body } = await test.call<SessionTime>('GET', `/api/sessions/${id}/time_remaining/`)
    expect(body).toMatchObject({
      sessionId: id,
      stationId,
      state: 'active',
      grantedSeconds: 600,
      elapsedSeconds: 61,
      remainingSeconds: 539,
    })
    expect(Date.parse(body.endsAt ?? '') - Date.parse(body.sentAt)).toBeGreaterThan(537_000)
    expect(Object.keys(body)).not.toContain('id')
  })
})

describe('granting', () => {
  it.each([
    [{ minutes: 0 }],
    [{ minutes: 1441 }],
    [{ minutes: 1.5 }],
    [{ minutes: '30' }],
    [{ minutes: null }],
    [{}],
    [{ minutes: 30, userId: 'nobody' }],
    [{ minutes: 30, stationId: 'nowhere' }],
  ])('refuses %j', async (body) => {
    const answer = await test.call<Problem>('POST', '/api/sessions/', { body })
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid-body' } })
    expect(answer.body.errors).toHaveLength(1)
  })

  it('needs consent, and is limited by the quota, for which a cancelled session does not count', async () => {
    const { id: userId } = await test.createUser({ consentGiven: false })
    const grant = () =>
      test.call<Session & Problem>('POST', '/api/sessions', { body: { userId, minutes: 5 } })
    const may = () => test.done('GET', `/api/utilisateurs/${userId}/can_create_session/`)
    expect(await grant()).toMatchObject({ status: 409, body: { code: 'consent-missing' } })
    expect(await may()).toEqual({ allowed: false, reasons: ['consent-missing'], sessionsToday: 0, quota: 3 })
    const user = { firstName: 'Zoé', lastName: 'Martin', consentGiven: true }
    await test.done('PUT', `/api/utilisateurs/${userId}`, user)

    const cancelled = await grant()
    expect((await test.call('DELETE', `/api/sessions/${cancelled.body.id}`)).status).toBe(204)
    const first = await grant()
    await act(first.body.id, 'terminate')
    for (let i = 0; i < 2; i += 1) expect((await grant()).status).toBe(201)
    expect(await grant()).toMatchObject({ status: 409, body: { code: 'quota-reached' } })
    expect(await may()).toEqual({ allowed: false, reasons: ['quota-reached'], sessionsToday: 3, quota: 3 })
    test.advanceClock(24 * 60 * MINUTE)
    expect(await may()).toMatchObject({ allowed: true, sessionsToday: 0 })
  })

  it('allows a pass without a user', async () => {
    const session = await test.createSession()
    expect(session.userId).toBeUndefined()
  })

  it('refuses a station in maintenance', async () => {
    const { id: stationId } = await test.createStation()
    const pending = await test.createSession({ stationId })
    await test.done('POST', `/api/postes/${stationId}/marquer_maintenance`)
    const answer = await test.call('POST', '/api/sessions', { body: { stationId, minutes: 5 } })
    expect(answer).toMatchObject({ status: 409, body: { code: 'station-maintenance' } })
    expect(await act(pending.id, 'start')).toMatchObject({
      status: 409,
      body: { code: 'station-maintenance' },
    })
  })

  it('changes a pending session and keeps its code, and accepts the fields of the answer', async () => {
    const station = await test.createStation()
    const created = await test.createSession({ stationId: station.id, minutes: 10 })
    const put = (body: object) =>
      test.call<Session & Problem>('PUT', `/api/sessions/${created.id}/`, { body })
    const changed = await put({ ...created, stationId: undefined, minutes: 20 })
    expect(changed).toMatchObject({ status: 200, body: { grantedSeconds: 1_200, state: 'pending' } })
    expect(changed.body.stationId).toBeUndefined()
    const validated = await test.done('POST', '/api/sessions/validate_code', { code: created.accessCode })
    expect(validated).toMatchObject({ sessionId: created.id, grantedSeconds: 1_200 })
    await act(created.id, 'start', { stationId: station.id })
    for (const answer of [
      await put({ minutes: 5 }),
      await test.call<Problem>('DELETE', `/api/sessions/${created.id}`),
    ])
      expect(answer).toMatchObject({ status: 409, body: { code: 'session-not-pending' } })
  })

  it('never reopens a cancelled session', async () => {
    const { id, accessCode } = await test.createSession()
    expect((await test.call('DELETE', `/api/sessions/${id}/`)).status).toBe(204)
    expect((await test.call('GET', `/api/sessions/${id}`)).status).toBe(404)
    const answer = await test.call('POST', '/api/sessions/validate_code', { body: { code: accessCode } })
    expect(answer).toMatchObject({ status: 404, body: { code: 'code-refused' } })
    expect((await test.journal(`sessionId=${id}`)).map(({ action }) => action)).toEqual([
      'session.created',
      'session.cancelled',
    ])
  })
})

describe('adding and removing time', () => {
  it.each([0, 1441, -1441, 1.5, '10', null, true])('refuses %j minutes', async (minutes) => {
    const { id } = await test.startSession()
    expect(await act(id, 'add_time', { minutes })).toMatchObject({
      status: 422,
      body: { code: 'invalid-body', errors: [{ pointer: '/minutes' }] },
    })
    expect((await test.session(id)).grantedSeconds).toBe(1_800)
  })

  it('never makes the remaining time negative', async () => {
    const { id } = await test.startSession({ minutes: 10 })
    test.advanceClock(30_400)
    const { body } = await act(id, 'add_time', { minutes: -1440 })
    expect(body.remainingSeconds).toBeLessThanOrEqual(1)
    expect(body.grantedSeconds).toBe(31)
    expect(body.grantedSeconds).toBe(body.elapsedSeconds + body.remainingSeconds)
  })

  it('works before the start and while suspended', async () => {
    const pending = await test.createSession({ minutes: 10 })
    expect((await act(pending.id, 'add_time', { minutes: 5 })).body).toMatchObject({ remainingSeconds: 900 })
    const { id } = await test.startSession({ minutes: 10 })
    await act(id, 'suspend')
    expect((await act(id, 'add_time', { minutes: -5 })).body).toMatchObject({ state: 'suspended' })
  })

  it('loses no grant when two operators act at the same time', async () => {
    const { id } = await test.startSession({ minutes: 10 })
    await Promise.all(Array.from({ length: 20 }, () => act(id, 'add_time', { minutes: 1 })))
    expect((await test.session(id)).grantedSeconds).toBe(30 * 60)
  })
})

describe('versions', () => {
  it('refuses every action on an outdated version', async () => {
    const { id } = await test.startSession()
    const { headers } = await test.call('GET', `/api/sessions/${id}`)
    const etag = String(headers['etag'])
    expect(etag).toMatch(/^"\d+"$/)
    const fresh = await act(id, 'add_time', { minutes: 1 }, { 'if-match': etag })
    expect(fresh.status).toBe(200)
    expect(fresh.headers['etag']).not.toBe(etag)
    for (const stale of [etag, '"999"', '"x"', 'x', '']) {
      const answer = await act(id, 'add_time', { minutes: 1 }, { 'if-match': stale })
      expect(answer, stale).toMatchObject({ status: 412, body: { code: 'version-conflict' } })
    }
    expect((await act(id, 'suspend', {}, { 'if-match': '*' })).status).toBe(200)
    expect((await test.session(id)).grantedSeconds).toBe(31 * 60)
  })

  it('checks If-Match also for a start, a replacement and a cancellation', async () => {
    const station = await test.createStation()
    const { id } = await test.createSession({ stationId: station.id })
    const headers = { 'if-match': '"41"' }
    expect((await act(id, 'start', {}, headers)).status).toBe(412)
    expect((await test.call('PUT', `/api/sessions/${id}`, { body: { minutes: 5 }, headers })).status).toBe(
      412,
    )
    expect((await test.call('DELETE', `/api/sessions/${id}`, { headers })).status).toBe(412)
    expect((await test.session(id)).state).toBe('pending')
  })
})

describe('starting', () => {
  it('happens once, however many requests arrive at the same time', async () => {
    const { id: stationId } = await test.createStation()
    const { id } = await test.createSession({ stationId })
    const answers = await Promise.all(Array.from({ length: 100 }, () => act(id, 'start')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    const started = (await test.journal(`sessionId=${id}`)).filter(
      (log) => log['action'] === 'session.started',
    )
    expect(started).toHaveLength(1)
    expect(new Set(answers.map(({ body }) => body.startedAt)).size).toBe(1)
  })

  it('starts only one of many sessions at a station', async () => {
    const { id: stationId } = await test.createStation()
    const sessions = await Promise.all(Array.from({ length: 30 }, () => test.createSession({ stationId })))
    const answers = await Promise.all(sessions.map(({ id }) => act(id, 'start')))
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([200, ...Array.from({ length: 29 }, () => 409)])
    const refused = answers.find(({ status }) => status === 409)
    expect(refused?.body.code).toBe('session-active')
  })

  it('lets a user run one session at a time', async () => {
    const { id: userId } = await test.createUser()
    const first = await test.startSession({ userId })
    const station = await test.createStation()
    const second = await test.createSession({ userId, stationId: station.id })
    expect(await act(second.id, 'start')).toMatchObject({ status: 409, body: { code: 'session-active' } })
    await act(first.id, 'suspend')
    expect((await act(second.id, 'start')).status).toBe(409)
    await act(first.id, 'terminate')
    expect((await act(second.id, 'start')).status).toBe(200)
  })

  it('needs a station, is bound to it, and is refused at another with the name of the right one', async () => {
    const { id } = await test.createSession()
    expect(await act(id, 'start')).toMatchObject({ status: 422, body: { code: 'station-required' } })
    expect((await act(id, 'start', { stationId: 'nowhere' })).status).toBe(422)
    const here = await test.createStation('ici', { label: 'Près de la fenêtre' })
    const there = await test.createStation()
    expect((await act(id, 'start', { stationId: here.id })).body.stationId).toBe('ici')
    expect((await act(id, 'start', { stationId: here.id })).status).toBe(200)
    const answer = await act(id, 'start', { stationId: there.id })
    expect(answer).toMatchObject({ status: 409, body: { code: 'wrong-station' } })
    expect(answer.body.detail).toContain('«\u202fPrès de la fenêtre\u202f»')
  })

  it('is refused when the code has expired', async () => {
    const { id: stationId } = await test.createStation()
    const { id } = await test.createSession({ stationId })
    test.advanceClock(24 * 60 * MINUTE)
    expect((await act(id, 'start')).status).toBe(409)
    expect(await test.session(id)).toMatchObject({ state: 'ended', endReason: 'code_expired' })
  })
})

describe('lists', () => {
  it('return everything exactly once over all pages, with links to the next and previous page', async () => {
    for (let i = 0; i < 5; i += 1) await test.createSession({ minutes: 7 })
    const seen: string[] = []
    let url: string | null = '/api/sessions/?pageSize=2&state=pending'
    let last: Page<Session> | undefined
    while (url) {
      last = await test.done<Page<Session>>('GET', url)
      seen.push(...last.results.map(({ id }) => id))
      url = last.next
    }
    expect(seen).toHaveLength(last?.count ?? 0)
    expect(new Set(seen).size).toBe(seen.length)
    expect(last?.previous).toMatch(/^http:\/\/.+pageSize=2&state=pending&page=\d+$/)
    const beyond = await test.done<Page<Session>>('GET', '/api/sessions?page=900')
    expect(beyond).toMatchObject({ results: [], next: null })
  })

  it('can be ordered, filtered and searched', async () => {
    const { id: userId } = await test.createUser()
    const long = await test.createSession({ userId, minutes: 1440 })
    const short = await test.createSession({ userId, minutes: 1 })
    const ids = async (query: string) =>
      (await test.done<Page<Session>>('GET', `/api/sessions/?userId=${userId}&${query}`)).results.map(
        ({ id }) => id,
      )
    expect(await ids('ordering=grantedSeconds')).toEqual([short.id, long.id])
    expect(await ids('ordering=-grantedSeconds')).toEqual([long.id, short.id])
    expect(await ids(`search=${short.id.slice(0, 13).toUpperCase()}`)).toEqual([short.id])
    expect(await ids('search=%25')).toEqual([])
    expect(await ids(`from=${encodeURIComponent(short.createdAt)}`)).toContain(short.id)
    expect(await ids(`to=2020-01-01T00:00:00Z`)).toEqual([])
    expect(await ids('state=active')).toEqual([])
    const sessions = await test.done<Page<Session>>('GET', `/api/utilisateurs/${userId}/sessions/`)
    expect(sessions.count).toBe(2)
  })

  it('show which sessions are active or suspended', async () => {
    const { id } = await test.startSession()
    const suspended = await test.startSession()
    await act(suspended.id, 'suspend')
    const { results } = await test.done<Page<Session>>('GET', '/api/sessions/actives/?pageSize=200')
    const ids = results.map((session) => session.id)
    expect(ids).toEqual(expect.arrayContaining([id, suspended.id]))
    expect(new Set(results.map(({ state }) => state))).toEqual(new Set(['active', 'suspended']))
  })

  it('have correct counts', async () => {
    const before = await test.done<Record<string, number>>('GET', '/api/sessions/stats/')
    await test.startSession({ minutes: 10 })
    await test.createSession({ minutes: 5 })
    const after = await test.done<Record<string, number>>('GET', '/api/sessions/stats/')
    const grown = Object.fromEntries(
      Object.entries(after).map(([name, n]) => [name, n - (before[name] ?? 0)]),
    )
    expect(grown).toMatchObject({
      total: 2,
      pending: 1,
      active: 1,
      createdToday: 2,
      grantedSecondsToday: 900,
    })
  })
})
