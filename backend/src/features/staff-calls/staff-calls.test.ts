import { randomUUID } from 'node:crypto'
import type { Page, StaffCall } from '@escale/protocol'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createAppEvents } from '../../events.ts'
import { createJournal, createLogRepository, systemActor } from '../logs/index.ts'
import { startTestApp, type TestApp } from '../../testing/app.ts'
import { createStaffCallRepository, createStaffCalls } from './index.ts'

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })

const CALLS = '/api/postes/appels/'
let test: TestApp

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

/** A station on the bus that can call for help. */
async function newStation(stationId?: string) {
  const id = stationId ?? (await test.createStation()).id
  const { secret } = await test.enrol(id)
  const { client, messages } = await test.mqtt(id, secret)
  const topic = (kind: string) => `escale/v1/stations/${id}/${kind}`
  await client.subscribeAsync([topic('desired'), topic('response')], { qos: 1 })
  const request = async (params: object) => {
    const asked = randomUUID()
    const payload = JSON.stringify({ id: asked, op: 'call_staff', params })
    await client.publishAsync(topic('request'), payload, { qos: 1 })
    return (await messages.next('/response', ({ id: answered }) => answered === asked)).payload
  }
  return {
    id,
    call: async (reason?: string) => {
      expect(await request(reason === undefined ? {} : { reason })).toMatchObject({ ok: true })
    },
    request,
    desired: (fits: (payload: Record<string, unknown>) => boolean) => messages.next('/desired', fits),
  }
}

const openAt = async (stationId: string) =>
  (await test.done<Page<StaffCall>>('GET', `${CALLS}?stationId=${stationId}`)).results
const act = (call: StaffCall, action: 'prendre' | 'clore', token?: string) =>
  test.call<StaffCall>('POST', `${CALLS}${call.id}/${action}/`, token === undefined ? {} : { token })
const stateOf = ({ staffCall }: Record<string, unknown>) =>
  (staffCall as { state: string } | undefined)?.state
const actionsAt = async (stationId: string) =>
  (await test.journal(`stationId=${stationId}`))
    .map(({ action }) => action)
    .filter((action) => String(action).includes('call'))

describe('a call for help', () => {
  it('is shown at its station and on live screens, and the visitor sees when an operator takes it', async () => {
    const station = await newStation()
    const live = await test.live()
    await live.next('connection_established')
    await station.call('  L’imprimante est bloquée ')
    const [call] = await openAt(station.id)
    expect(call).toMatchObject({
      stationId: station.id,
      state: 'waiting',
      reason: 'L’imprimante est bloquée',
      times: 1,
      calledAt: new Date(test.clock.nowMs()).toISOString(),
    })
    expect(await live.next('call_changed')).toEqual({ type: 'call_changed', call })
    await station.desired((payload) => stateOf(payload) === 'waiting')

    const taken = await act(call!, 'prendre', await test.tokenOf('operator'))
    expect(taken).toMatchObject({ status: 200, body: { state: 'taken', takenBy: 'operator' } })
    expect(await live.next('call_changed')).toEqual({ type: 'call_changed', call: taken.body })
    await station.desired((payload) => stateOf(payload) === 'taken')

    // If the same operator takes it again, nothing changes. Another operator is told who has it.
    expect((await act(call!, 'prendre', await test.tokenOf('operator'))).body).toEqual(taken.body)
    expect(await act(call!, 'prendre')).toMatchObject({
      status: 409,
      body: { code: 'call-taken', detail: 'Cet appel est déjà pris par operator.' },
    })

    expect(await act(call!, 'clore')).toMatchObject({ status: 200, body: { state: 'closed' } })
    const closed = await live.next('call_changed')
    expect(closed).toMatchObject({ call: { id: call!.id, state: 'closed' } })
    expect(JSON.stringify(closed)).not.toContain('imprimante')
    await station.desired((payload) => stateOf(payload) === undefined)
    expect(await openAt(station.id)).toEqual([])
    expect(await act(call!, 'clore')).toMatchObject({ status: 404, body: { code: 'not-found' } })
    expect(await act(call!, 'prendre')).toMatchObject({ status: 404 })
    expect(await actionsAt(station.id)).toEqual([
      'station.staff_called',
      'station.call_taken',
      'station.call_closed',
    ])
    const records = await test.journal(`stationId=${station.id}`)
    expect(JSON.stringify(records)).not.toContain('imprimante')
  })

  it('exists once for each station; another call renews it, and makes it wait again if it was taken', async () => {
    const station = await newStation()
    await station.call('Le son')
    const [first] = await openAt(station.id)
    // The same press of a button, sent twice.
    await station.call()
    expect(await openAt(station.id)).toEqual([first])
    await station.call('Le son ne marche pas')
    expect(await openAt(station.id)).toEqual([{ ...first, reason: 'Le son ne marche pas' }])
    await act(first!, 'prendre')
    test.advanceClock(60_000)
    await station.call()
    expect(await openAt(station.id)).toEqual([
      {
        ...first,
        reason: 'Le son ne marche pas',
        times: 2,
        renewedAt: new Date(test.clock.nowMs()).toISOString(),
      },
    ])
    expect(await actionsAt(station.id)).toEqual([
      'station.staff_called',
      'station.call_taken',
      'station.staff_called',
    ])
  })

  it('ends with the session in which it was made, and with its station', async () => {
    const { id: sessionId, stationId } = await test.startSession()
    const station = await newStation(stationId)
    await station.call('Au secours')
    expect(await openAt(stationId)).toMatchObject([{ sessionId }])
    await test.done('POST', `/api/sessions/${sessionId}/terminate/`)
    expect(await openAt(stationId)).toEqual([])
    const after = await station.desired(({ state }) => state === 'locked')
    expect(stateOf(after.payload)).toBeUndefined()

    await station.call()
    const live = await test.live()
    await live.next('connection_established')
    await test.done('DELETE', `/api/postes/${stationId}/`)
    await live.next('call_changed', (frame) => JSON.stringify(frame).includes('"closed"'))
    expect(await openAt(stationId)).toEqual([])
  })

  it('survives a restart, and is closed automatically after twelve hours', async () => {
    const station = await newStation()
    await station.call()
    const before = await openAt(station.id)
    await test.restart()
    expect(await openAt(station.id)).toEqual(before)
    test.advanceClock(12 * 3_600_000 + 1)
    await test.done('POST', '/api/parametres/taches/expired_sessions/')
    expect(await openAt(station.id)).toEqual([])
  })

  it('can be read by viewers and changed by operators, and by nobody else', async () => {
    const station = await newStation()
    await station.call()
    const [call] = await openAt(station.id)
    const viewer = await test.tokenOf('viewer')
    expect(await test.call('GET', CALLS, { token: viewer })).toMatchObject({ status: 200 })
    for (const action of ['prendre', 'clore'] as const)
      expect(await act(call!, action, viewer)).toMatchObject({ status: 403 })
    expect(await test.call('GET', CALLS, { token: null })).toMatchObject({ status: 401 })
    for (const query of ['state=closed', 'state=open', 'ordering=reason'])
      expect(await test.call('GET', `${CALLS}?${query}`)).toMatchObject({ status: 400 })
    expect(await test.call('GET', `${CALLS}?state=waiting&stationId=${station.id}`)).toMatchObject({
      body: { count: 1 },
    })
    expect(await test.call('GET', `${CALLS}?state=taken&stationId=${station.id}`)).toMatchObject({
      body: { count: 0 },
    })
    for (const reason of ['x'.repeat(501), 'a\0b', 5])
      expect(await station.request({ reason })).toMatchObject({ ok: false, error: { code: 'invalid-body' } })
  })

  it('needs its path: no station can have the id « appels »', async () => {
    const refused = await test.call('POST', '/api/postes/', { body: { id: 'appels', label: 'Appels' } })
    expect(refused).toMatchObject({ status: 409, body: { code: 'duplicate' } })
  })

  it('of another server is found in the database if its message was lost, and so is its end', async () => {
    const { id: stationId } = await test.createStation()
    const server = () => {
      const [events, { db: database, clock }] = [createAppEvents(), test]
      const journal = createJournal(database, createLogRepository(database), events, clock)
      const desired = { change: () => Promise.resolve(undefined) }
      const runningSessionAt = () => undefined
      const repository = createStaffCallRepository(database)
      const ports = { database, repository, desired, runningSessionAt, journal, events, clock }
      return { events, calls: createStaffCalls(ports).service }
    }
    const [here, elsewhere] = [server(), server()]
    const look = async () => {
      const missed = (await here.calls.missed()).filter(
        (event) => event.type === 'callChanged' && event.call.stationId === stationId,
      )
      missed.forEach((event) => here.events.emit(event, 'peer'))
      return missed.map((event) => event.type === 'callChanged' && event.call.state)
    }
    await elsewhere.calls.call(stationId, undefined, systemActor)
    expect(await look()).toEqual(['waiting'])
    expect(await look()).toEqual([])
    const [call] = await openAt(stationId)
    await elsewhere.calls.take(call!.id, systemActor)
    expect(await look()).toEqual(['taken'])
    await elsewhere.calls.close(call!.id, systemActor)
    expect(await look()).toEqual(['closed'])
    expect(await look()).toEqual([])
  })
})
