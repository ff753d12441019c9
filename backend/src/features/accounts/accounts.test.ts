import type { Account, AccountWithSecret, Problem } from '@escale/protocol'
import type { MqttClient } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestApp, type TestApp } from '../../testing/app.ts'

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })

let test: TestApp
let created = 0
beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const create = (fields: object = {}) =>
  test.done<AccountWithSecret>('POST', '/api/comptes/', {
    id: `flow-${(created += 1)}`,
    kind: 'automation',
    label: 'Automatisations',
    role: 'operator',
    ...fields,
  })
const diagnostics = { kind: 'diagnostics', role: undefined }
const basicOf = ({ id, secret }: AccountWithSecret) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})
const connect = async ({ id, secret }: AccountWithSecret) => (await test.mqtt(id, secret)).client
const refused = (account: AccountWithSecret) => expect(connect(account)).rejects.toMatchObject({ code: 4 })
const closed = (client: MqttClient) => new Promise<void>((resolve) => client.once('close', resolve))

describe('accounts', () => {
  it('show their generated secret once, and store only its hash', async () => {
    const answer = await test.call<AccountWithSecret>('POST', '/api/comptes/', {
      body: { id: 'node-red', kind: 'automation', label: 'Node-RED', role: 'operator' },
    })
    expect(answer.status).toBe(201)
    expect(answer.headers['cache-control']).toBe('no-store')
    const { secret, mqttUrl, ...account } = answer.body
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
    expect(mqttUrl).toMatch(/^mqtt:\/\/localhost:\d+$/)
    expect(await test.done('GET', '/api/comptes/node-red/')).toEqual(account)
    const list = await test.done<{ results: Account[] }>('GET', '/api/comptes/?search=red&kind=automation')
    expect(list.results).toEqual([account])
    const row = await test.db.models.accounts.findByPk('node-red')
    expect(JSON.stringify(row)).not.toContain(secret)
  })

  it('are managed by admins only', async () => {
    for (const role of ['viewer', 'operator'] as const) {
      const token = await test.tokenOf(role)
      expect((await test.call('GET', '/api/comptes/', { token })).status).toBe(403)
      expect((await test.call('POST', '/api/comptes/node-red/renouveler/', { token })).status).toBe(403)
    }
  })

  it('cannot have the id of a station, nor the reserved id “operator”', async () => {
    const taken = { status: 409, body: { code: 'duplicate', errors: [{ pointer: '/id' }] } }
    const account = await create()
    const station = await test.createStation('pc-commun')
    const asStation = (id: string) => test.call('POST', '/api/postes/', { body: { id, label: 'A' } })
    const asAccount = (id: string) =>
      test.call('POST', '/api/comptes/', { body: { id, kind: 'diagnostics', label: 'A' } })
    for (const id of [account.id, 'operator', station.id]) {
      expect(await asStation(id), id).toMatchObject(taken)
      expect(await asAccount(id), id).toMatchObject(taken)
    }
  })

  it('need a role if they send requests, and have none if they only listen', async () => {
    const wrong = (body: object) => test.call<Problem>('POST', '/api/comptes/', { body })
    for (const body of [
      { id: 'a', kind: 'automation', label: 'A' },
      { id: 'b', kind: 'diagnostics', label: 'B', role: 'viewer' },
    ]) {
      const { status, body: problem } = await wrong(body)
      expect(status).toBe(422)
      expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(['/role'])
    }
  })

  it('change their label, role and state with a version, and are logged without secrets', async () => {
    const account = await create()
    const { headers } = await test.call('GET', `/api/comptes/${account.id}/`)
    const put = (etag: unknown) =>
      test.call<Account>('PUT', `/api/comptes/${account.id}/`, {
        body: { ...account, label: 'Autre', role: 'viewer' },
        headers: { 'if-match': String(etag) },
      })
    const changed = await put(headers['etag'])
    expect(changed).toMatchObject({ status: 200, body: { label: 'Autre', role: 'viewer', isActive: true } })
    expect(await put(headers['etag'])).toMatchObject({ status: 412 })
    await test.done('POST', `/api/comptes/${account.id}/renouveler/`)
    expect((await test.call('DELETE', `/api/comptes/${account.id}/`)).status).toBe(204)
    expect((await test.call('GET', `/api/comptes/${account.id}/`)).status).toBe(404)
    const records = (await test.journal()).filter(({ details }) =>
      JSON.stringify(details).includes(account.id),
    )
    expect(records.map(({ action }) => action)).toEqual([
      'account.created',
      'account.updated',
      'account.secret_renewed',
      'account.deleted',
    ])
    expect(JSON.stringify(records)).not.toContain(account.secret)
  })
})

/** Actions of an admin that disconnect an account. */
const cuts: [string, (id: string) => [method: string, url: string, body?: object]][] = [
  ['its secret is renewed', (id) => ['POST', `/api/comptes/${id}/renouveler/`]],
  [
    'it is disabled',
    (id) => ['PUT', `/api/comptes/${id}/`, { label: 'A', role: 'operator', isActive: false }],
  ],
  ['it is deleted', (id) => ['DELETE', `/api/comptes/${id}/`]],
]

describe('an account is disconnected, and refused from then on, when', () => {
  it.each(cuts)('%s', async (_what, callOf) => {
    const account = await create()
    const another = await create()
    const [client, beside] = [await connect(account), await connect(another)]
    const end = closed(client)
    const [method, url, body] = callOf(account.id)
    await test.call(method, url, body ? { body } : {})
    await end
    await refused(account)
    const answer = await test.call('GET', '/api/postes/', { headers: basicOf(account) })
    expect(answer.status).toBe(401)
    expect(beside.connected).toBe(true)
  })

  it.each(cuts)('%s by another process', async (_what, callOf) => {
    const account = await create()
    const client = await connect(account)
    const end = closed(client)
    const [method, url, body] = callOf(account.id)
    const app = await test.startAnother()
    await test.call(method, url, { app, ...(body ? { body } : {}) })
    await end
    await refused(account)
  })
})

describe('an account that stays connected', () => {
  it('is one whose label or role changes, or that connects with its renewed secret', async () => {
    const account = await create()
    const client = await connect(account)
    await test.done('PUT', `/api/comptes/${account.id}/`, { label: 'B', role: 'viewer', isActive: true })
    const end = closed(client)
    const renewed = await test.done<AccountWithSecret>('POST', `/api/comptes/${account.id}/renouveler/`)
    await end
    const again = await connect(renewed)
    // Deleting another account makes the server check again.
    const other = await create()
    const otherEnd = closed(await connect(other))
    await test.call('DELETE', `/api/comptes/${other.id}/`)
    await otherEnd
    expect(again.connected).toBe(true)
  })

  it('receives everything but requests and responses, if it is for diagnostics', async () => {
    const listener = await create(diagnostics)
    const { client, messages } = await test.mqtt(listener.id, listener.secret)
    await client.subscribeAsync('escale/v1/#', { qos: 1 })
    const account = await create()
    const asking = await test.mqtt(account.id, account.secret)
    const own = `escale/v1/automation/${account.id}`
    await asking.client.subscribeAsync(`${own}/response`, { qos: 1 })
    const request = { id: 'd-1', op: 'create_session', params: { minutes: 5 } }
    await asking.client.publishAsync(`${own}/request`, JSON.stringify(request), { qos: 1 })
    const { payload } = await asking.messages.next('/response')
    const { accessCode, id } = payload['data'] as { accessCode: string; id: string }
    await messages.next('events/session.created', ({ sessionId }) => sessionId === id)
    await test.done('DELETE', `/api/sessions/${id}/`)
    await messages.next('events/session.cancelled', ({ sessionId }) => sessionId === id)
    const heard = messages.all.map(({ topic }) => topic)
    expect(heard.filter((topic) => /request|response/.test(topic))).toEqual([])
    expect(JSON.stringify(messages.all)).not.toContain(accessCode)
  })
})
