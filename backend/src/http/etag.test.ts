import type { Log, Problem, Report, SettingsAnswer } from '@escale/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../testing/app.ts'

let test: TestApp
let n = 0

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const get = (url: string) => test.call('GET', url)
const put = (url: string, body: unknown, etag: string) =>
  test.call<Problem>('PUT', url, { body, headers: { 'if-match': etag } })

/** Resources that operators change, and a body that changes each. */
async function changeable(): Promise<[string, object][]> {
  const { id: userId } = await test.createUser()
  const { id: stationId } = await test.createStation()
  const { id: sessionId } = await test.createSession()
  const settings = await test.done<SettingsAnswer>('GET', '/api/parametres/')
  return [
    [`/api/utilisateurs/${userId}/`, { firstName: 'Zoé', lastName: 'Petit' }],
    [`/api/postes/${stationId}/`, { label: 'Autre' }],
    [`/api/sessions/${sessionId}/`, { minutes: 20 }],
    [`/api/operateurs/${test.operators.viewer}/`, { role: 'viewer', isActive: true }],
    ['/api/parametres/', { ...settings, sessionsPerDay: 4 }],
  ]
}

describe('the version of a resource', () => {
  it('is sent, increases with each change, and refuses the second of two simultaneous changes', async () => {
    for (const [url, body] of await changeable()) {
      const seen = String((await get(url)).headers['etag'])
      expect(seen, url).toMatch(/^"\d+"$/)
      const first = await put(url, body, seen)
      expect(first, url).toMatchObject({ status: 200 })
      const next = String(first.headers['etag'])
      expect(next, url).not.toBe(seen)
      expect((await get(url)).headers['etag'], url).toBe(next)
      expect(await put(url, body, seen), url).toMatchObject({
        status: 412,
        body: { code: 'version-conflict' },
      })
      expect(await put(url, body, '"x"'), url).toMatchObject({ status: 412 })
      expect(await put(url, body, '*'), url).toMatchObject({ status: 200 })
    }
  })

  it.each([
    '"3"',
    'W/"3"',
    '"3-gzip"',
    'W/"3-br"',
    '"3;gzip"',
    '"3--gzip"',
    '"2", "3"',
    'W/"9-gzip" ,"3"',
    '"x", *',
  ])('is recognised as 3 in %s, whatever a proxy has added', async (etag) => {
    const { id } = await test.createUser()
    const replace = (headers: Record<string, string> = {}) =>
      test.call('PUT', `/api/utilisateurs/${id}/`, {
        body: { firstName: 'A', lastName: `B${(n += 1)}` },
        headers,
      })
    await replace()
    expect((await replace()).headers['etag']).toBe('"3"')
    expect((await replace({ 'if-match': etag })).status).toBe(200)
  })

  it.each([
    '"2"',
    '"3-gzipped"',
    '"3x"',
    '"13"',
    '3',
    '""',
    '',
    '"2", "4"',
    '"3',
    'W/3',
    `"${'3'.repeat(30)}"`,
  ])('is not 3 in %s', async (etag) => {
    const { id } = await test.createUser()
    const body = { firstName: 'A', lastName: 'B' }
    await test.call('PUT', `/api/utilisateurs/${id}/`, { body })
    await test.call('PUT', `/api/utilisateurs/${id}/`, { body: { ...body, lastName: 'C' } })
    expect((await put(`/api/utilisateurs/${id}/`, body, etag)).status).toBe(412)
  })

  it('is checked when something is removed', async () => {
    const { id: userId } = await test.createUser()
    const { id: stationId } = await test.createStation()
    const { id: sessionId } = await test.createSession()
    const { id: operatorId } = await test.done<{ id: string }>('POST', '/api/operateurs/', {
      username: 'partante',
      role: 'viewer',
      password: 'une phrase assez longue',
    })
    for (const url of [
      `/api/utilisateurs/${userId}/`,
      `/api/postes/${stationId}/`,
      `/api/sessions/${sessionId}/`,
      `/api/operateurs/${operatorId}/`,
    ]) {
      const remove = (etag: string) => test.call('DELETE', url, { headers: { 'if-match': etag } })
      expect((await remove('"99"')).status, url).toBe(412)
      expect((await remove(String((await get(url)).headers['etag']))).status, url).toBe(204)
    }
  })

  it('is also sent for what never changes', async () => {
    await test.done('POST', '/api/parametres/taches/session_report/')
    const [log] = (await test.done<{ results: Log[] }>('GET', '/api/logs/')).results
    const [report] = (await test.done<{ results: Report[] }>('GET', '/api/rapports/')).results
    for (const url of [`/api/logs/${log!.id}/`, `/api/rapports/${report!.id}/`])
      expect((await get(url)).headers['etag'], url).toBe('"1"')
  })
})
