import { randomUUID } from 'node:crypto'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { stationOps, type Response, type StationOp } from '@escale/protocol'
import { typedForms } from '@escale/protocol/typed-codes'
import { Check } from 'typebox/value'
import type { Message } from '../../testing/clients.ts'
import { startTestApp, type TestApp } from '../../testing/app.ts'

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })

const MINUTE = 60_000
let test: TestApp

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

/** A station on the bus, subscribed to its own topics. */
async function connected(stationId: string, secret: string) {
  const { client, messages } = await test.mqtt(stationId, secret)
  const topic = (kind: string) => `escale/v1/stations/${stationId}/${kind}`
  await client.subscribeAsync([topic('desired'), topic('response'), topic('command')], { qos: 1 })
  const say = (kind: string, payload: object | string) =>
    client.publishAsync(topic(kind), typeof payload === 'string' ? payload : JSON.stringify(payload), {
      qos: 1,
    })
  const ask = async (op: string, params?: object, id: string = randomUUID()): Promise<Response> => {
    await say('request', { id, op, params })
    return (await messages.next('/response', (payload) => payload['id'] === id)).payload as Response
  }
  const desired = (fits: (payload: Message['payload']) => boolean = () => true) =>
    messages.next('/desired', fits)
  return { id: stationId, secret, client, messages, say, ask, desired }
}

async function newStation() {
  const { id } = await test.createStation()
  const { secret } = await test.enrol(id)
  return connected(id, secret)
}

const sessionEnded = (sessionId: string, at: string, version: number, seq = 1, bootId = 'boot-1') => ({
  bootId,
  seq,
  at,
  kind: 'session_ended',
  details: { sessionId, reason: 'expired', version },
})

describe('the desired document', () => {
  it('has the station’s label, and the new one at once when it changes', async () => {
    const { id: stationId } = await test.createStation()
    const { secret } = await test.enrol(stationId)
    const station = await connected(stationId, secret)
    const { version } = (await station.desired()).payload
    await test.done('PUT', `/api/postes/${stationId}/`, { label: 'Fenêtre 3' })
    const renamed = await station.desired(({ label }) => label === 'Fenêtre 3')
    expect(renamed.payload['version']).toBeGreaterThan(version as number)
  })

  it('is sent at a subscription with the current remaining time and an unchanged version', async () => {
    const { id, stationId } = await test.startSession({ minutes: 10 })
    const { secret } = await test.enrol(stationId)
    const first = await (await connected(stationId, secret)).desired()
    expect(first.payload).toMatchObject({
      state: 'active',
      session: { id, remainingSeconds: 600, displayName: '' },
    })
    test.advanceClock(61_000)
    const second = await (await connected(stationId, secret)).desired()
    expect(second.retain).toBe(true)
    expect(second.payload).toMatchObject({
      version: first.payload['version'],
      session: { id, remainingSeconds: 539, grantedSeconds: 600 },
    })
  })

  it('gets a higher version with each change, and contains the complete state', async () => {
    const user = await test.createUser({ firstName: 'Hadrien' })
    const station = await newStation()
    const { id } = await test.createSession({ userId: user.id, stationId: station.id })
    for (const [action, body] of [
      ['start', {}],
      ['add_time', { minutes: 5 }],
      ['suspend', {}],
      ['resume', {}],
      ['terminate', {}],
    ] as const)
      await test.done('POST', `/api/sessions/${id}/${action}`, body)
    const documents = []
    for (let i = 0; i < 6; i += 1) documents.push((await station.desired()).payload)
    expect(documents.map(({ state }) => state)).toEqual([
      'locked',
      'active',
      'active',
      'suspended',
      'active',
      'locked',
    ])
    const versions = documents.map(({ version }) => Number(version))
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
    expect(new Set(versions).size).toBe(6)
    expect(documents[2]).toMatchObject({ session: { displayName: 'Hadrien', grantedSeconds: 2_100 } })
    expect(documents[3]).not.toHaveProperty('session.endsAt')
    expect(documents[5]).not.toHaveProperty('session')
  })

  it('has the state maintenance, and then locked again', async () => {
    const station = await newStation()
    await station.desired(({ state }) => state === 'locked')
    await test.done('POST', `/api/postes/${station.id}/marquer_maintenance`)
    await station.desired(({ state }) => state === 'maintenance')
    await test.done('POST', `/api/postes/${station.id}/marquer_disponible`)
    await station.desired(({ state }) => state === 'locked')
  })

  it('gets a higher version than the station has applied, after the database was restored', async () => {
    const station = await newStation()
    const { payload } = await station.desired()
    const version = Number(payload['version']) + 86_400_000
    const report = { version, state: 'locked', bootId: 'b', appliedAt: '2026-01-01T00:00:00Z' }
    await station.say('reported', report)
    const higher = await station.desired()
    expect(higher.payload['version']).toBe(version + 1)
    await station.say('reported', { ...report, version: version + 1 })
    await station.ask('time')
    expect(station.messages.all.filter(({ topic }) => topic.endsWith('/desired'))).toEqual([])
  })

  it('gets a higher version than before when a station is deleted and created again', async () => {
    const station = await newStation()
    const ahead = Number((await station.desired()).payload['version']) + 86_400_000
    const report = { version: ahead, state: 'locked', bootId: 'b', appliedAt: '2026-01-01T00:00:00Z' }
    await station.say('reported', report)
    await station.desired(({ version }) => version === ahead + 1)
    await test.done('DELETE', `/api/postes/${station.id}/`)
    await test.createStation(station.id)
    const { secret } = await test.enrol(station.id)
    const { payload } = await (await connected(station.id, secret)).desired()
    expect(payload['version']).toBeGreaterThan(ahead + 1)
  })

  it('is shown with its reasons, and the times at which it was requested and applied', async () => {
    const station = await newStation()
    const { id } = await test.createSession({ stationId: station.id })
    await test.done('POST', `/api/sessions/${id}/start`)
    const { payload } = await station.desired(({ state }) => state === 'active')
    const version = Number(payload['version'])
    const askedAt = new Date(test.clock.nowMs()).toISOString()
    const asked = { version, actions: ['session.started'], askedAt }
    expect((await test.station(station.id)).document).toEqual(asked)
    const live = await test.live()
    await live.next('connection_established')
    test.advanceClock(30)
    const report = { state: 'active', bootId: 'b', appliedAt: '2026-01-01T00:00:00Z' }
    await station.say('reported', { ...report, version: version - 1 })
    expect((await test.station(station.id)).document).toEqual(asked)
    await station.say('reported', { ...report, version })
    const appliedAt = new Date(test.clock.nowMs()).toISOString()
    await live.next('station_changed', (frame) => JSON.stringify(frame).includes(appliedAt))
    test.advanceClock(1_000)
    await station.say('reported', { ...report, version })
    expect((await test.station(station.id)).document).toEqual({ ...asked, appliedAt })
  })

  it('is published again after a restart, with the same version', async () => {
    const { stationId } = await test.startSession()
    const { secret } = await test.enrol(stationId)
    const before = (await (await connected(stationId, secret)).desired()).payload
    await test.restart()
    const after = (await (await connected(stationId, secret)).desired()).payload
    expect(after).toEqual(before)
  })
})

describe('requests', () => {
  it('are answered for every operation according to its schema', async () => {
    const station = await newStation()
    const user = await test.createUser({ firstName: 'Ondine' })
    const { id: sessionId, accessCode } = await test.createSession({ userId: user.id })
    const params: Record<StationOp, object> = {
      time: {},
      validate_code: { code: accessCode.toLowerCase() },
      start_session: { sessionId },
      get_time: { sessionId },
      suspend_session: { sessionId },
      end_session: { sessionId },
      call_staff: { reason: 'imprimante' },
      report_fault: { kind: 'keyboard', details: { key: 'E' } },
    }
    const data: Partial<Record<StationOp, unknown>> = {}
    for (const [op, schema] of Object.entries(stationOps) as [StationOp, (typeof stationOps)[StationOp]][]) {
      if (op === 'end_session') continue
      const response = await station.ask(op, params[op])
      if (!response.ok) throw new Error(`${op}: ${JSON.stringify(response.error)}`)
      expect(Check(schema.data, response.data), op).toBe(true)
      data[op] = response.data
    }
    expect(data.validate_code).toEqual({ sessionId, displayName: 'Ondine', grantedSeconds: 1_800 })
    expect(data.suspend_session).toMatchObject({ state: 'suspended' })
    const ended = await station.ask('end_session', params.end_session)
    expect(ended).toMatchObject({ ok: true, data: { state: 'ended' } })
    expect(await test.session(sessionId)).toMatchObject({ endReason: 'logged_out' })
    // A second request with another id finds the session ended.
    expect(await station.ask('end_session', params.end_session)).toMatchObject({ ok: true })
    const actions = (await test.journal(`stationId=${station.id}`)).map(({ action }) => action)
    expect(actions).toEqual(expect.arrayContaining(['station.staff_called', 'station.fault_reported']))
  })

  it('start one session each, or get the reason against it', async () => {
    const station = await newStation()
    const { id } = await test.createSession()
    const refused = (code: string) => ({ ok: false, error: { code } })
    expect(await station.ask('start_session', { sessionId: id })).toMatchObject(refused('code-not-validated'))
    expect(await station.ask('validate_code', { code: 'AAAA-AAAA' })).toMatchObject(refused('code-refused'))
    expect(await station.ask('start_session', { sessionId: 'unknown' })).toMatchObject(refused('not-found'))
    expect(await station.ask('start_session', {})).toMatchObject(refused('invalid-body'))
    expect(await station.ask('start_session', { sessionId: 5 })).toMatchObject(refused('invalid-body'))
    expect(await station.ask('start_session', { sessionId: '\0' })).toMatchObject(refused('invalid-body'))
    expect(await station.ask('validate_code', { code: 'x'.repeat(65) })).toMatchObject(
      refused('invalid-body'),
    )
    for (const op of ['dance', 'constructor', '__proto__'])
      expect(await station.ask(op)).toMatchObject(refused('unknown-op'))
    const elsewhere = await test.startSession()
    for (const op of ['get_time', 'end_session', 'suspend_session'])
      expect(await station.ask(op, { sessionId: elsewhere.id })).toMatchObject(refused('not-found'))
    expect((await test.session(elsewhere.id)).state).toBe('active')
  })

  it('accept a right code however it was typed, pasted or scanned', async () => {
    const station = await newStation()
    const { id: sessionId, accessCode } = await test.createSession()
    for (const [form, typed] of typedForms) {
      const answer = await station.ask('validate_code', { code: typed(accessCode) })
      expect(answer, form).toMatchObject({ ok: true, data: { sessionId } })
    }
  })

  it('are answered with the time to wait after too many wrong codes', async () => {
    const station = await newStation()
    for (let i = 0; i < 5; i += 1) await station.ask('validate_code', { code: `AAAA-AAA${i + 2}` })
    const response = await station.ask('validate_code', { code: 'AAAA-AAAA' })
    expect(response).toMatchObject({ ok: false, error: { code: 'code-throttled', retryAfterSeconds: 30 } })
  })

  it('are carried out once and get the same answer when repeated, also across a restart', async () => {
    const station = await newStation()
    const { id: sessionId, accessCode } = await test.createSession()
    const first = await station.ask('validate_code', { code: accessCode }, 'same-1')
    const started = await station.ask('start_session', { sessionId }, 'same-2')
    expect(started).toMatchObject({ ok: true, data: { state: 'active' } })
    test.advanceClock(5 * MINUTE)
    expect(await station.ask('start_session', { sessionId }, 'same-2')).toEqual(started)
    expect(await station.ask('start_session', { sessionId: 'other' }, 'same-2')).toMatchObject({
      ok: false,
      error: { code: 'id-reused' },
    })
    await test.restart()
    const again = await connected(station.id, station.secret)
    expect(await again.ask('validate_code', { code: accessCode }, 'same-1')).toEqual(first)
    expect(await again.ask('start_session', { sessionId }, 'same-2')).toEqual(started)
    const starts = (await test.journal(`sessionId=${sessionId}`)).filter(
      ({ action }) => action === 'session.started',
    )
    expect(starts).toHaveLength(1)
    const rows = await test.db.models.answeredRequests.findAll({ where: { party: station.id } })
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toMatch(
      new RegExp(`${accessCode}|${accessCode.replace('-', '')}|session`, 'i'),
    )
  })

  it('and responses reach only the station', async () => {
    const station = await newStation()
    const watcher = await test.mqtt('operator', await test.tokenOf('admin'), { clientId: 'operator:w1' })
    await expect(watcher.client.subscribeAsync(`escale/v1/stations/${station.id}/response`)).rejects.toThrow()
  })

  it('that are invalid are acknowledged and change nothing', async () => {
    const station = await newStation()
    for (const payload of ['', '{', 'null', '[]', '{"id":1,"op":"time"}', '{"id":"","op":"time"}', '\0'])
      await station.say('request', payload)
    expect(await station.ask('time')).toMatchObject({ ok: true })
    expect(station.messages.all.filter(({ topic }) => topic.endsWith('/response'))).toEqual([])
  })
})

describe('an event of a station that was offline', () => {
  it('ends the session once at the station’s instant, however often it is sent', async () => {
    const { id, stationId, startedAt } = await test.startSession({ minutes: 10 })
    const { secret } = await test.enrol(stationId)
    const station = await connected(stationId, secret)
    const { payload } = await station.desired()
    test.advanceClock(9 * MINUTE)
    const at = new Date(Date.parse(startedAt ?? '') + 8 * MINUTE).toISOString()
    const event = sessionEnded(id, at, Number(payload['version']))
    for (let i = 0; i < 3; i += 1) await station.say('events', event)
    expect(await test.session(id)).toMatchObject({ state: 'ended', endReason: 'expired', endedAt: at })
    const logs = (await test.journal(`sessionId=${id}`)).map(({ action }) => action)
    expect(logs.filter((action) => action === 'session.expired')).toHaveLength(1)
    await station.desired(({ state }) => state === 'locked')
  })

  it('causes a credit for a grant that the station never received, and for no other', async () => {
    const { id, stationId, endsAt } = await test.startSession({ minutes: 10 })
    const { secret } = await test.enrol(stationId)
    const station = await connected(stationId, secret)
    await test.done('POST', `/api/sessions/${id}/add_time`, { minutes: 2 })
    const seen = await station.desired((document) => {
      const { grantedSeconds } = document['session'] as { grantedSeconds: number }
      return grantedSeconds === 720
    })
    await test.done('POST', `/api/sessions/${id}/add_time`, { minutes: 5 })
    const at = new Date(Date.parse(endsAt ?? '') + 2 * MINUTE).toISOString()
    test.advanceClock(13 * MINUTE)
    await station.say('events', sessionEnded(id, at, Number(seen.payload['version'])))
    expect(await test.session(id)).toMatchObject({ state: 'ended', endedAt: at, creditSeconds: 300 })
  })

  it.each([{}, { reason: 'logged_out' }])(
    'ends the session of a simple client that sends only %j',
    async (said) => {
      const { id, stationId } = await test.startSession({ minutes: 10 })
      const { secret } = await test.enrol(stationId)
      const station = await connected(stationId, secret)
      const { payload } = await station.desired()
      const report = {
        version: payload['version'],
        state: 'active',
        bootId: 'b',
        appliedAt: payload['sentAt'],
      }
      await station.say('reported', report)
      await test.done('POST', `/api/sessions/${id}/add_time`, { minutes: 5 })
      test.advanceClock(MINUTE)
      const at = new Date(Date.parse(String(payload['sentAt'])) + MINUTE).toISOString()
      const event = { bootId: 'b', seq: 1, at, kind: 'session_ended', details: { sessionId: id, ...said } }
      await station.say('events', event)
      expect(await test.session(id)).toMatchObject({
        ...{ state: 'ended', endReason: 'expired', creditSeconds: 300, endedAt: at },
        ...(said.reason && { endReason: said.reason }),
      })
    },
  )

  it('has its instants limited between the start and now, whatever the station’s clock is', async () => {
    for (const at of ['1999-01-01T00:00:00Z', '2099-01-01T00:00:00Z', '2016-12-31T23:59:60Z']) {
      const { id, stationId, startedAt } = await test.startSession({ minutes: 10 })
      const { secret } = await test.enrol(stationId)
      const station = await connected(stationId, secret)
      test.advanceClock(MINUTE)
      await station.say('events', sessionEnded(id, at, 0))
      const session = await test.session(id)
      expect(session.state).toBe('ended')
      const elapsedMs = Date.parse(session.endedAt ?? '') - Date.parse(startedAt ?? '')
      expect([0, MINUTE]).toContain(elapsedMs)
    }
  })

  it('does not change a session of another station, and causes no error for an unknown one', async () => {
    const station = await newStation()
    const { id } = await test.startSession()
    await station.say('events', sessionEnded(id, '2026-01-01T00:00:00Z', 0, 1))
    await station.say('events', sessionEnded('unknown', '2026-01-01T00:00:00Z', 0, 2))
    expect((await test.session(id)).state).toBe('active')
    expect(test.errors()).toEqual([])
  })

  it('is accepted with the same number after another boot', async () => {
    const station = await newStation()
    const fault = (bootId: string) => ({
      bootId,
      seq: 7,
      at: '2026-01-01T00:00:00Z',
      kind: 'fault',
      details: { kind: 'disk' },
    })
    for (const boot of ['a', 'a', 'b']) await station.say('events', fault(boot))
    expect(await test.journal(`stationId=${station.id}&action=station.fault_reported`)).toHaveLength(2)
  })
})

describe('clients that may connect', () => {
  it('include a station with its secret and its own id', async () => {
    const station = await newStation()
    const refused = (username: string, password: string, clientId = username) =>
      expect(test.mqtt(username, password, { clientId })).rejects.toThrow()
    await refused(station.id, 'wrong')
    await refused('nobody', 'wrong')
    await refused(station.id, station.secret, 'somebody-else')
    await refused('operator', 'wrong', 'operator:x')
    await refused('operator', await test.tokenOf('admin', Buffer.alloc(32, 1)), 'operator:x')
    await test.mqtt(station.id, station.secret, { clientId: `${station.id}:second` })
  })

  it('include an operator’s browser, also over WebSocket, which cannot publish', async () => {
    const { http } = await test.listen()
    const client = await connectAsync(`ws://127.0.0.1:${http}/mqtt`, {
      clientId: 'operator:browser',
      username: 'operator',
      password: await test.tokenOf('viewer'),
      reconnectPeriod: 0,
      keepalive: 0,
    })
    client.on('error', () => undefined)
    await client.subscribeAsync(['escale/v1/stations/+/presence', 'escale/v1/events/#'], { qos: 1 })
    const isClosed = new Promise<void>((resolve) => client.once('close', () => resolve()))
    client.publish('escale/v1/stations/pc-1/presence', '{}', { qos: 1 })
    await isClosed
    await client.endAsync(true)
  })

  it('receive each domain event, without a code or a name', async () => {
    const { client, messages } = await test.mqtt('operator', await test.tokenOf('viewer'), {
      clientId: 'operator:events',
    })
    await client.subscribeAsync('escale/v1/events/#', { qos: 1 })
    const user = await test.createUser({ firstName: 'Philomène' })
    const { id, stationId } = await test.startSession({ userId: user.id })
    const { payload } = await messages.next('/events/session.started')
    expect(payload).toMatchObject({
      kind: 'session.started',
      sessionId: id,
      stationId,
      userId: user.id,
      details: {},
    })
    expect(Object.keys(payload).sort()).toEqual(['at', 'details', 'kind', 'sessionId', 'stationId', 'userId'])
    await messages.next('/events/user.created')
    expect(JSON.stringify(messages.all)).not.toContain('Philomène')
  })

  it('receive the settings of the site', async () => {
    const station = await newStation()
    await station.client.subscribeAsync('escale/v1/config', { qos: 1 })
    const { payload, retain } = await station.messages.next('/config')
    expect(retain).toBe(true)
    expect(payload).toMatchObject({ heartbeatIntervalMs: 10_000, warningsSeconds: [300, 120, 60, 30, 10] })
  })
})

describe('numbers of events', () => {
  it('that are missing are logged once, and late events are still accepted', async () => {
    const station = await newStation()
    const tell = (seq: number, bootId = 'boot-1') =>
      station.say('events', { bootId, seq, at: '2026-01-01T00:00:00Z', kind: 'cleaned', details: {} })
    for (const seq of [3, 4, 8, 8, 9, 6]) await tell(seq)
    await tell(0, 'boot-2')
    const missed = await test.journal(`action=station.events_missed&stationId=${station.id}`)
    expect(missed.map(({ details }) => details)).toEqual([{ bootId: 'boot-1', fromSeq: 5, toSeq: 7 }])
    const taken = await test.db.models.stationEvents.count({ where: { stationId: station.id } })
    expect(taken).toBe(6)
  })
})
