import type { Throttle } from '@escale/protocol'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestApp, type TestApp } from '../../testing/app.ts'

let test: TestApp

// Each wrong password takes half a second of an idle core.
vi.setConfig({ testTimeout: 120_000 })

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const guess = async (stationId: string, ip: string, code = 'AAAA-AAAA') =>
  (await test.call('POST', '/api/sessions/validate_code/', { body: { code, stationId }, ip })).status
const blocks = async (query = '') =>
  (await test.done<{ results: Throttle[] }>('GET', `/api/parametres/blocages/${query}`)).results
const lift = async (id: string, role: 'admin' | 'operator' | 'viewer') =>
  (await test.call('DELETE', `/api/parametres/blocages/${id}/`, { token: await test.tokenOf(role) })).status

describe('the active blocks', () => {
  it('of a station is shown, survives a restart, and can be removed by an operator, which is logged', async () => {
    const { id: stationId } = await test.createStation()
    const { accessCode } = await test.createSession({ stationId })
    for (let wrong = 0; wrong < 5; wrong += 1) expect(await guess(stationId, '192.0.2.7')).toBe(404)
    expect(await guess(stationId, '192.0.2.7', accessCode)).toBe(429)
    await test.restart()
    const [block] = await blocks(`?stationId=${stationId}`)
    expect(block).toMatchObject({ kind: 'station-code', stationId, failures: 5, retryAfterSeconds: 30 })
    expect(await blocks('?kind=address-code')).toEqual([])
    expect(await lift(block!.id, 'viewer')).toBe(403)
    expect(await lift(block!.id, 'operator')).toBe(204)
    expect(await guess(stationId, '192.0.2.7', accessCode)).toBe(200)
    expect(await lift(block!.id, 'operator')).toBe(404)
    const [record] = await test.journal('action=throttle.lifted')
    expect(record).toMatchObject({
      stationId,
      actor: { label: 'operator' },
      details: { kind: 'station-code' },
    })
  })

  it('of an address is listed with the address, and disappears at its end', async () => {
    const ip = '192.0.2.30'
    for (let station = 0; station < 6; station += 1) {
      const { id } = await test.createStation()
      for (let wrong = 0; wrong < 5; wrong += 1) await guess(id, ip)
    }
    expect(await blocks(`?ip=${ip}`)).toMatchObject([{ kind: 'address-code', ip, failures: 30 }])
    expect((await blocks('?kind=station-code')).length).toBe(6)
    test.advanceClock(31_000)
    expect(await blocks()).toEqual([])
  })

  it('of sign-ins can be removed only by an admin, and does not show the typed username', async () => {
    const signIn = (username: string) =>
      test.call('POST', '/api/token/', {
        body: { username, password: 'faux mot de passe' },
        token: null,
        ip: '2001:db8::7',
      })
    for (const username of ['operator', 'mon mot de passe']) {
      for (let wrong = 0; wrong < 5; wrong += 1) {
        await signIn(username)
        test.advanceClock(1_000)
      }
    }
    const found = await blocks('?ip=2001:db8::7')
    expect(found.map(({ kind, username }) => [kind, username ?? '']).sort()).toEqual([
      ['account-address-login', ''],
      ['account-address-login', 'operator'],
      ['address-login', ''],
    ])
    const rows = await test.db.models.throttles.findAll()
    expect(rows.map((row) => row.get().key).filter((key) => /operator|mot de passe/.test(key))).toEqual([])
    expect(JSON.stringify(await blocks())).not.toContain('mot de passe')
    const [block] = found.filter(({ username }) => username === 'operator')
    expect(await lift(block!.id, 'operator')).toBe(403)
    expect(await lift(block!.id, 'admin')).toBe(204)
    const [record] = (await test.journal('action=throttle.lifted')).slice(-1)
    expect(record?.['details']).toEqual({
      kind: 'account-address-login',
      operatorId: test.operators.operator,
    })
    expect((await test.call('GET', '/api/parametres/blocages/?kind=nothing')).status).toBe(400)
  })
})
