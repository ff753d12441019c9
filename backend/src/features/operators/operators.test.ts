import type { Operator } from '@escale/protocol'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestApp, type TestApp } from '../../testing/app.ts'

let test: TestApp
const PASSWORD = 'une phrase assez longue'

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })
beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const create = (username: string, role = 'operator') =>
  test.done<Operator>('POST', '/api/operateurs/', { username, role, password: PASSWORD })
const signIn = async (username: string, password = PASSWORD) =>
  test.call<{ access: string; refresh: string }>('POST', '/api/token/', {
    body: { username, password },
    token: null,
  })

describe('operators', () => {
  it('are added by an admin, can sign in, and are never shown with their password', async () => {
    const operator = await create('marie')
    expect(Object.keys(operator).sort()).toEqual(['createdAt', 'id', 'isActive', 'role', 'username'])
    expect((await signIn('marie')).status).toBe(200)
    const list = await test.done<{ results: Operator[] }>('GET', '/api/operateurs/?search=mari')
    expect(list.results.map(({ username }) => username)).toEqual(['marie'])
  })

  it('are managed by admins only', async () => {
    for (const role of ['viewer', 'operator'] as const) {
      const token = await test.tokenOf(role)
      expect((await test.call('GET', '/api/operateurs/', { token })).status).toBe(403)
    }
  })

  it('need a unique username and a long password', async () => {
    const body = { username: 'marie', role: 'viewer', password: PASSWORD }
    expect((await test.call('POST', '/api/operateurs/', { body })).body).toMatchObject({ code: 'duplicate' })
    const short = { ...body, username: 'short', password: 'courte' }
    expect((await test.call('POST', '/api/operateurs/', { body: short })).status).toBe(422)
  })

  it('lose all access when they are disabled: REST, token renewal, live screen, bus', async () => {
    const { id } = await create('paul')
    const { access, refresh } = (await signIn('paul')).body
    const live = await test.live('', { token: access })
    await live.next('connection_established')
    const { client } = await test.mqtt('operator', access, { clientId: 'operator:paul' })
    const cut = new Promise((resolve) => client.once('close', () => resolve(undefined)))

    await test.done('PUT', `/api/operateurs/${id}/`, { role: 'operator', isActive: false })
    expect(await live.closed).toBe(4401)
    await cut
    expect((await test.call('GET', '/api/postes/', { token: access })).status).toBe(401)
    expect((await test.call('POST', '/api/token/refresh/', { body: { refresh }, token: null })).status).toBe(
      401,
    )
    expect((await signIn('paul')).status).toBe(401)
  })

  it('lose access once when a server without a connection to this one disables them', async () => {
    const elsewhere = await test.startAnother()
    const open = async (username: string) => {
      const { access } = (await signIn(username)).body
      const live = await test.live('', { token: access })
      await live.next('connection_established')
      const { client } = await test.mqtt('operator', access, { clientId: `operator:${username}` })
      return { live, client, cut: new Promise((resolve) => client.once('close', () => resolve(undefined))) }
    }
    const jules = await create('jules')
    const lucie = await create('lucie')
    const opened = await open('lucie')
    // Changed here and signed in again: the poll that finds the old log record does not end the new sign-in.
    await test.done('PUT', `/api/operateurs/${jules.id}/`, { role: 'viewer', isActive: true })
    const again = await open('jules')
    const body = { role: 'viewer', isActive: true }
    await test.call('PUT', `/api/operateurs/${lucie.id}/`, { body, app: elsewhere })
    expect(await opened.live.closed).toBe(4401)
    await opened.cut
    again.live.send({ type: 'heartbeat' })
    await again.live.next('heartbeat')
    expect(again.client.connected).toBe(true)
  })

  it('must sign in again with the new password after it was changed', async () => {
    const { id } = await create('lea')
    const { refresh } = (await signIn('lea')).body
    const password = 'une autre phrase assez longue'
    await test.done('PUT', `/api/operateurs/${id}/`, { role: 'operator', isActive: true, password })
    expect((await test.call('POST', '/api/token/refresh/', { body: { refresh }, token: null })).status).toBe(
      401,
    )
    expect((await signIn('lea')).status).toBe(401)
    expect((await signIn('lea', password)).status).toBe(200)
  })

  it('always include one active admin', async () => {
    const { admin } = test.operators
    const answer = await test.call('DELETE', `/api/operateurs/${admin}/`)
    expect(answer.body).toMatchObject({ status: 409, code: 'last-admin' })
  })
})
