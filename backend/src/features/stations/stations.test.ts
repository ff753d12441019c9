import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Problem, Session, Station } from '@escale/protocol'
import { startTestApp, type TestApp } from '../../testing/app.ts'

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })

let test: TestApp

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const create = (body: object) => test.call<Station & Problem>('POST', '/api/postes/', { body })
const beat = (id: string, body: object = {}) =>
  test.done<Station>('POST', `/api/postes/${id}/heartbeat/`, body)
const mark = (id: string, what: string, headers?: Record<string, string>) =>
  test.call<Station & Problem>('POST', `/api/postes/${id}/marquer_${what}/`, {
    body: { reason: 'essai' },
    headers,
  })

describe('registering', () => {
  it('normalises addresses, and shows a new station as offline', async () => {
    const answer = await create({
      id: 'pc-a',
      label: 'Poste A',
      location: 'Salle 1',
      ipAddress: '::FFFF:192.0.2.10',
      macAddress: '02-AA-BB-CC-DD-01',
    })
    expect(answer).toMatchObject({
      status: 201,
      body: { ipAddress: '192.0.2.10', macAddress: '02:aa:bb:cc:dd:01', state: 'offline', online: false },
    })
    expect(answer.headers['etag']).toBe('"1"')
  })

  it.each([
    [{ id: 'pc-a', label: 'B' }, '/id'],
    [{ id: 'pc-b', label: 'B', macAddress: '02aa.bbcc.dd01' }, '/macAddress'],
    [{ id: 'pc-b', label: 'B', macAddress: '02AABBCCDD01' }, '/macAddress'],
    [{ id: 'pc-b', label: 'B', ipAddress: '192.0.2.10' }, '/ipAddress'],
    [{ id: 'pc-b', label: 'B', ipAddress: '::ffff:c000:20a' }, '/ipAddress'],
  ])('refuses %j as a duplicate and names the field', async (body, pointer) => {
    const answer = await create(body)
    expect(answer).toMatchObject({ status: 409, body: { code: 'duplicate', errors: [{ pointer }] } })
    expect(answer.body.detail).toContain('Poste A')
  })

  it.each([
    [{ id: 'PC', label: 'B' }],
    [{ id: 'a/b', label: 'B' }],
    [{ id: '', label: 'B' }],
    [{ id: 'x'.repeat(33), label: 'B' }],
    // The username with which operators connect to the broker.
    [{ id: 'pc-b', label: 'B', ipAddress: '300.0.0.1' }],
    [{ id: 'pc-b', label: 'B', ipAddress: '192.0.2.1/24' }],
    [{ id: 'pc-b', label: 'B', macAddress: '02:aa:bb' }],
  ])('refuses %j', async (body) => {
    expect(await create(body)).toMatchObject({ status: 422, body: { code: 'invalid-body' } })
  })

  it.each(['stats', 'disponibles', 'enrol', 'demandes', 'commands'])(
    'refuses the id %s, which is a path of the API',
    async (id) => {
      expect(await create({ id, label: 'B' })).toMatchObject({
        status: 409,
        body: { code: 'duplicate', errors: [{ pointer: '/id' }] },
      })
    },
  )

  it('replaces writable fields, clears omitted ones, and ignores read-only ones', async () => {
    const before = await test.createStation(undefined, { location: 'Salle 2', ipAddress: '192.0.2.77' })
    const { location: _location, ...rest } = before
    const answer = await test.call<Station>('PUT', `/api/postes/${before.id}`, {
      body: { ...rest, label: 'Près de la porte', state: 'occupied', online: true },
    })
    expect(answer.body).toMatchObject({
      label: 'Près de la porte',
      ipAddress: '192.0.2.77',
      state: 'offline',
    })
    expect(answer.body).not.toHaveProperty('location')
    expect(answer.headers['etag']).toBe('"2"')
    const stale = await test.call('PUT', `/api/postes/${before.id}`, {
      body: { label: 'X' },
      headers: { 'if-match': '"1"' },
    })
    expect(stale).toMatchObject({ status: 412, body: { code: 'version-conflict' } })
  })
})

describe('the state of a station', () => {
  it('is given by the first reason that applies', async () => {
    const { id } = await test.createStation()
    const stateIs = async (state: string) => expect((await test.station(id)).state).toBe(state)
    await stateIs('offline')
    await beat(id, { cpuPercent: 3 })
    await stateIs('available')
    await beat(id, { state: 'cleaning' })
    await stateIs('occupied')
    await beat(id, { state: 'locked' })
    await stateIs('available')
    const { id: sessionId } = await test.createSession({ stationId: id })
    await test.done('POST', `/api/sessions/${sessionId}/start`)
    await stateIs('occupied')
    expect((await test.station(id)).activeSessionId).toBe(sessionId)
    await test.done('POST', `/api/sessions/${sessionId}/suspend`)
    await stateIs('occupied')
    await test.done('POST', `/api/sessions/${sessionId}/terminate`)
    await stateIs('available')
    await mark(id, 'maintenance')
    await beat(id, { state: 'cleaning' })
    await stateIs('maintenance')
    await mark(id, 'disponible')
    await beat(id, { state: 'locked' })
    await stateIs('available')
  })

  it('is occupied while a session runs, although the station is silent', async () => {
    const { stationId } = await test.startSession()
    expect(await test.station(stationId)).toMatchObject({ state: 'occupied', online: false })
  })

  it('stays marked offline until the station sends a message, also if it was connected all the time', async () => {
    const { id } = await test.createStation()
    await beat(id)
    expect((await mark(id, 'hors_ligne')).body).toMatchObject({ state: 'offline' })
    expect((await test.station(id)).state).toBe('offline')
    await beat(id)
    expect(await test.station(id)).toMatchObject({ state: 'available', online: true })
    const logs = await test.journal(`stationId=${id}`)
    const presence = logs.filter(({ action }) => /online|offline/.test(String(action)))
    expect(presence.map(({ action, details }) => [action, (details as { cause: string }).cause])).toEqual([
      ['station.online', 'heartbeat'],
      ['station.offline', 'marked'],
      ['station.online', 'heartbeat'],
    ])
  })

  it('stays in maintenance until it is marked available, with or without messages', async () => {
    const { id } = await test.createStation()
    await mark(id, 'maintenance')
    await beat(id)
    expect((await mark(id, 'hors_ligne')).body.state).toBe('maintenance')
    expect((await test.station(id)).state).toBe('maintenance')
    expect((await mark(id, 'disponible')).body.state).not.toBe('maintenance')
  })

  it('is marked once, with one log and a new version', async () => {
    const { id } = await test.createStation()
    const first = await mark(id, 'maintenance')
    const again = await mark(id, 'maintenance')
    expect(again).toMatchObject({ status: 200, headers: { etag: first.headers['etag'] } })
    const logs = await test.journal(`stationId=${id}&action=station.updated`)
    expect(logs).toHaveLength(1)
    expect(logs[0]).toMatchObject({ details: { marked: 'maintenance', reason: 'essai' } })
    expect((await mark(id, 'disponible', { 'if-match': '"1"' })).status).toBe(412)
  })

  it.each(['disponible', 'maintenance', 'hors_ligne'])('is not marked %s during a session', async (what) => {
    const { id, stationId } = await test.startSession()
    expect(await mark(stationId, what)).toMatchObject({ status: 409, body: { code: 'session-active' } })
    await test.done('POST', `/api/sessions/${id}/suspend`)
    expect((await mark(stationId, what)).status).toBe(409)
  })

  it('is returned with the session at the station, or without one', async () => {
    const { id, stationId } = await test.startSession()
    const answer = await test.call<Session>('GET', `/api/postes/${stationId}/session_active/`)
    expect(answer.body).toMatchObject({ id, state: 'active' })
    expect(answer.headers['etag']).toBeDefined()
    await test.done('POST', `/api/sessions/${id}/terminate`)
    const none = await test.call('GET', `/api/postes/${stationId}/session_active`)
    expect(none).toMatchObject({ status: 404, body: { code: 'no-active-session' } })
    const nowhere = await test.call('GET', '/api/postes/nowhere/session_active')
    expect(nowhere).toMatchObject({ status: 404, body: { code: 'not-found' } })
  })
})

describe('a heartbeat by REST', () => {
  it('accepts any of its fields or none, and shows the metrics at once', async () => {
    const { id } = await test.createStation()
    const station = await beat(id, { cpuPercent: 12.5, uptimeSeconds: 60, temperatureC: 40 })
    expect(station).toMatchObject({
      online: true,
      metrics: { cpuPercent: 12.5, uptimeSeconds: 60, temperatureC: 40 },
    })
    expect(station.lastHeartbeatAt).toBeDefined()
    expect((await test.journal(`stationId=${id}`)).map(({ action }) => action)).toEqual([
      'station.created',
      'station.online',
    ])
  })

  it('does not change the station’s address when an operator sends it', async () => {
    const { id } = await test.createStation()
    expect(await beat(id)).not.toHaveProperty('lastSeenIp')
  })

  it.each([{ cpuPercent: 101 }, { cpuPercent: '5' }, { state: 'broken' }, { nothing: 1 }])(
    'refuses %j',
    async (body) => {
      const { id } = await test.createStation()
      expect((await test.call('POST', `/api/postes/${id}/heartbeat`, { body })).status).toBe(422)
      expect((await test.station(id)).online).toBe(false)
    },
  )
})

describe('removing a station', () => {
  it('ends its session as lost, closes its connection and removes its retained messages', async () => {
    const { id, stationId } = await test.startSession()
    const { secret, basic } = await test.enrol(stationId)
    const { client, messages } = await test.mqtt(stationId, secret)
    await client.subscribeAsync(`escale/v1/stations/${stationId}/desired`, { qos: 1 })
    const isCut = new Promise<void>((resolve) => client.once('close', () => resolve()))
    const watcher = await test.mqtt('operator', await test.tokenOf('admin'), { clientId: 'operator:watch' })
    await client.publishAsync(
      `escale/v1/stations/${stationId}/presence`,
      JSON.stringify({
        online: true,
        cause: 'birth',
        bootId: 'b',
        agentVersion: '1',
        hostname: 'h',
        os: 'o',
        ipAddress: '192.0.2.1',
        macAddress: '',
      }),
      { qos: 1 },
    )
    expect((await test.call('DELETE', `/api/postes/${stationId}/`)).status).toBe(204)
    await isCut
    // If the station were disconnected before this message, it would stay open until the session's end.
    expect(messages.all.map(({ payload }) => payload.state)).toContain('locked')
    expect(await test.session(id)).toMatchObject({ state: 'ended', endReason: 'station_lost' })
    expect((await test.call('GET', `/api/postes/${stationId}`)).status).toBe(404)
    expect((await test.call('POST', `/api/postes/${stationId}/heartbeat`, { headers: basic })).status).toBe(
      401,
    )
    await watcher.client.subscribeAsync('escale/v1/stations/+/presence', { qos: 1 })
    expect(watcher.messages.all.filter(({ topic }) => topic.includes(`/${stationId}/`))).toEqual([])
    await expect(test.mqtt(stationId, secret)).rejects.toThrow()
    expect((await create({ id: stationId, label: 'Again' })).status).toBe(201)
  })

  it('checks If-Match if it is given', async () => {
    const { id } = await test.createStation()
    const headers = { 'if-match': '"7"' }
    expect((await test.call('DELETE', `/api/postes/${id}`, { headers })).status).toBe(412)
    expect((await test.station(id)).id).toBe(id)
  })
})

describe('lists', () => {
  it('can be searched, filtered, ordered and counted', async () => {
    const ids = async (query: string) =>
      (await test.done<{ results: Station[] }>('GET', `/api/postes${query}`)).results.map(({ id }) => id)
    await test.createStation('zz-1', { label: 'Émile', location: 'Étage' })
    await test.createStation('zz-2', { label: 'Bis', location: 'Étage', ipAddress: '192.0.2.201' })
    await beat('zz-2')
    const there = `location=${encodeURIComponent('Étage')}`
    expect(await ids(`?${there}&ordering=-id`)).toEqual(['zz-2', 'zz-1'])
    expect(await ids(`?${there}&ordering=label`)).toEqual(['zz-2', 'zz-1'])
    expect(await ids(`?search=${encodeURIComponent('émile')}`)).toEqual(['zz-1'])
    expect(await ids(`?search=${encodeURIComponent('ÉMILE')}`)).toEqual(['zz-1'])
    expect(await ids('?search=emile')).toEqual(['zz-1'])
    expect(await ids('?search=etage')).toEqual(['zz-2', 'zz-1'])
    expect(await ids('?search=192.0.2.201')).toEqual(['zz-2'])
    await test.done('PUT', '/api/postes/zz-1', {
      label: 'Œuvres',
      location: 'Étage',
      macAddress: '02:5E:00:00:00:01',
    })
    expect(await ids('?search=oeuvre')).toEqual(['zz-1'])
    expect(await ids('?search=emile')).toEqual([])
    expect(await ids('?macAddress=02-5e-00-00-00-01')).toEqual(['zz-1'])
    expect(await ids(`?${there}&ordering=-ipAddress`)).toEqual(['zz-2', 'zz-1'])
    expect((await test.call('GET', '/api/postes/disponibles?state=offline')).body).toMatchObject({
      code: 'invalid-query',
    })
    expect(await ids(`?${there}&online=true`)).toEqual(['zz-2'])
    expect(await ids(`?${there}&state=offline`)).toEqual(['zz-1'])
    expect(await ids(`/disponibles?${there}`)).toEqual(['zz-2'])
    const stats = await test.done<Record<string, number>>('GET', '/api/postes/stats/')
    const { total = 0, available = 0, occupied = 0, maintenance = 0, offline = 0 } = stats
    expect(available + occupied + maintenance + offline).toBe(total)
  })
})
