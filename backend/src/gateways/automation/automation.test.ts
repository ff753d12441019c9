import { randomUUID } from 'node:crypto'
import {
  automationOps,
  type AccountWithSecret,
  type AutomationOp,
  type OperatorRole,
  type Response,
} from '@escale/protocol'
import { Check } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestApp, type TestApp } from '../../testing/app.ts'

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })

let test: TestApp
let created = 0
beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const createAccount = (role: OperatorRole) =>
  test.done<AccountWithSecret>('POST', '/api/comptes/', {
    id: `flow-${(created += 1)}`,
    kind: 'automation',
    label: 'Automate',
    role,
  })

/** An automation on the bus that receives its responses. */
async function connected({ id, secret }: Pick<AccountWithSecret, 'id' | 'secret'>, clientId = id) {
  const { client, messages } = await test.mqtt(id, secret, { clientId })
  const own = `escale/v1/automation/${clientId}`
  await client.subscribeAsync(`${own}/response`, { qos: 1 })
  const ask = async (op: string, params?: object, requestId: string = randomUUID()): Promise<Response> => {
    await client.publishAsync(`${own}/request`, JSON.stringify({ id: requestId, op, params }), { qos: 1 })
    return (await messages.next('/response', (payload) => payload['id'] === requestId)).payload as Response
  }
  /** Checks that a response is `ok` and matches the schema of its op. */
  const done = async (op: AutomationOp, params: object) => {
    const response = await ask(op, params)
    if (!response.ok) throw new Error(`${op}: ${JSON.stringify(response)}`)
    expect(Check(automationOps[op].data, response.data), `${op} ${JSON.stringify(response.data)}`).toBe(true)
    return response.data
  }
  return { client, messages, ask, done }
}
const automation = async (role: OperatorRole) => connected(await createAccount(role))

describe('an automation', () => {
  it('can do what an operator can, and the journal names its account', async () => {
    const account = await createAccount('operator')
    const flow = await connected(account)
    const { id: stationId } = await test.createStation()
    await test.enrol(stationId)
    const { accessCode, id: sessionId } = (await flow.done('create_session', { minutes: 30, stationId })) as {
      accessCode: string
      id: string
    }
    await flow.done('validate_code', { code: accessCode, stationId })
    expect(await flow.done('start_session', { sessionId })).toMatchObject({ state: 'active', stationId })
    expect(await flow.done('add_time', { sessionId, minutes: 10 })).toMatchObject({ grantedSeconds: 2_400 })
    expect(await flow.done('suspend_session', { sessionId })).toMatchObject({ state: 'suspended' })
    expect(await flow.done('resume_session', { sessionId })).toMatchObject({ state: 'active' })
    expect(await flow.done('get_time', { sessionId })).toMatchObject({ remainingSeconds: 2_400 })
    expect(await flow.done('get_session', { sessionId })).toMatchObject({ createdBy: 'Automate' })
    await flow.done('send_command', { stationId, op: 'identify' })
    expect(await flow.done('list_sessions', { stationId })).toMatchObject({ count: 1 })
    await flow.done('terminate_session', { sessionId, reason: 'fermeture' })
    expect(await flow.done('mark_station', { stationId, as: 'maintenance' })).toMatchObject({
      state: 'maintenance',
    })
    expect(await flow.done('list_stations', { state: 'maintenance' })).toMatchObject({ count: 1 })
    expect(await flow.done('get_station', { stationId })).toMatchObject({ id: stationId })
    const pending = (await flow.done('create_session', { minutes: 5 })) as { id: string }
    await flow.done('cancel_session', { sessionId: pending.id })
    await flow.done('time', {})

    const records = await test.journal(`actor=${account.id}`)
    const actor = { type: 'account', id: account.id, label: 'Automate' }
    for (const record of records) expect(record['actor']).toEqual(actor)
    expect(records.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['session.created', 'session.started', 'command.sent', 'session.cancelled']),
    )
  })

  it('may only do what its account’s current role allows', async () => {
    const account = await createAccount('viewer')
    const flow = await connected(account)
    for (const [op, { role }] of Object.entries(automationOps)) {
      const params = {
        sessionId: 'x',
        stationId: 'pc-nulle-part',
        minutes: 5,
        code: 'ABCD2345',
        as: 'offline',
      }
      const answer = await flow.ask(op, op === 'send_command' ? { ...params, op: 'lock' } : params)
      const isForbidden = !answer.ok && answer.error.code === 'forbidden'
      expect(isForbidden, `${op} ${JSON.stringify(answer)}`).toBe(role !== 'viewer')
    }
    const label = 'Automate'
    await test.done('PUT', `/api/comptes/${account.id}/`, { label, role: 'operator', isActive: true })
    expect(await flow.ask('create_session', { minutes: 5 })).toMatchObject({ ok: true })
    await test.done('PUT', `/api/comptes/${account.id}/`, { label, role: 'viewer', isActive: true })
    expect(await flow.ask('create_session', { minutes: 5 })).toMatchObject({ error: { code: 'forbidden' } })
  })

  it('gets an error that says what is wrong with a request', async () => {
    const flow = await automation('operator')
    expect(await flow.ask('make_coffee', {})).toMatchObject({ ok: false, error: { code: 'unknown-op' } })
    expect(await flow.ask('create_session', { minutes: 0 })).toMatchObject({
      error: { code: 'invalid-body' },
    })
    expect(await flow.ask('toString')).toMatchObject({ error: { code: 'unknown-op' } })
    expect(await flow.ask('add_time', { sessionId: 'none', minutes: 5 })).toMatchObject({
      error: { code: 'not-found' },
    })
  })

  it('gets the same answer to a repeated request, which is carried out once, also across a restart', async () => {
    const account = await createAccount('operator')
    const flow = await connected(account)
    const first = await flow.ask('create_session', { minutes: 30 }, 'same-1')
    if (!first.ok) throw new Error('refused')
    const { accessCode, id } = first.data as { accessCode: string; id: string }
    expect(await flow.ask('create_session', { minutes: 30 }, 'same-1')).toEqual(first)
    expect(await flow.ask('create_session', { minutes: 31 }, 'same-1')).toMatchObject({
      error: { code: 'id-reused' },
    })
    await test.restart()
    const again = await connected(account)
    expect(await again.ask('create_session', { minutes: 30 }, 'same-1')).toEqual(first)
    const made = await test.journal('action=session.created')
    expect(made.filter(({ sessionId }) => sessionId === id)).toHaveLength(1)
    const kept = JSON.stringify(
      await test.db.models.answeredRequests.findAll({ where: { party: account.id } }),
    )
    expect(kept).toContain('same-1')
    expect(kept).not.toContain(accessCode)
    expect(kept).not.toContain(accessCode.replace('-', ''))
  })

  it('has its own request ids, separate even from other connections of its account', async () => {
    const account = await createAccount('operator')
    const [one, beside] = [await connected(account), await connected(account, `${account.id}:b`)]
    const first = await one.ask('create_session', { minutes: 30 }, 'own-1')
    const second = await beside.ask('create_session', { minutes: 30 }, 'own-1')
    expect(second).toMatchObject({ ok: true })
    expect(second).not.toEqual(first)
  })
})

describe('the domain events for automations', () => {
  it('are all log records as they are written, without actors, names or codes', async () => {
    const flow = await automation('viewer')
    await flow.client.subscribeAsync('escale/v1/events/#', { qos: 1 })
    const before = (await test.journal()).length
    const visitor = await test.createUser({ firstName: 'Éponine', lastName: 'Thénardier' })
    const { id: stationId } = await test.createStation()
    const { secret } = await test.enrol(stationId)
    const station = await test.mqtt(stationId, secret)
    const { id, accessCode } = await test.createSession({ userId: visitor.id, stationId })
    await test.done('POST', `/api/sessions/${id}/start`)
    for (const [action, body] of [
      ['add_time', { minutes: 5 }],
      ['suspend'],
      ['resume'],
      ['terminate'],
    ] as const)
      await test.done('POST', `/api/sessions/${id}/${action}`, body)
    const call = { id: 'c-1', op: 'call_staff', params: {} }
    await station.client.publishAsync(`escale/v1/stations/${stationId}/request`, JSON.stringify(call), {
      qos: 1,
    })
    await test.done('POST', `/api/utilisateurs/${visitor.id}/revoke_consent/`)
    await test.call('POST', '/api/postes/enrol/', {
      token: null,
      body: { enrolmentKey: 'x', macAddress: '02:00:00:00:00:09', hostname: 'h', os: 'o', agentVersion: '1' },
    })
    await flow.messages.next('events/station.enrolment_refused')
    const told = flow.messages.all.filter(({ topic }) => topic.includes('/events/'))
    const written = (await test.journal()).slice(before)
    expect(written.length).toBeGreaterThan(10)
    expect([...told.map(({ payload }) => payload['kind']), 'station.enrolment_refused'].sort()).toEqual(
      written.map(({ action }) => action).sort(),
    )
    const said = JSON.stringify(told)
    for (const private_ of [
      'Éponine',
      'Thénardier',
      accessCode,
      accessCode.replace('-', ''),
      secret,
      '127.0.0.1',
    ])
      expect(said).not.toContain(private_)
    for (const { topic, payload } of told) {
      expect(topic).toBe(`escale/v1/events/${String(payload['kind'])}`)
      expect(Object.keys(payload).every((name) => ALLOWED.includes(name))).toBe(true)
    }
  })
})
const ALLOWED = ['kind', 'at', 'stationId', 'sessionId', 'userId', 'details']
