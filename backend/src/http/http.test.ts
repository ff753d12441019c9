import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorTable, type Problem } from '@escale/protocol'
import { startTestApp, type TestApp } from '../testing/app.ts'

let test: TestApp

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const problem = (method: string, url: string, options: Parameters<TestApp['call']>[2] = {}) =>
  test.call<Problem>(method, url, options)

interface Paths {
  paths: Record<string, Record<string, { responses?: object }>>
}

const PUBLIC = [
  '/api/token',
  '/api/token/refresh',
  '/api/token/verify',
  '/api/token/revoke',
  '/api/postes/enrol',
  '/healthz',
  '/readyz',
]
const METHODS = ['get', 'post', 'put', 'delete', 'patch']

/** Every operation of the OpenAPI document, with a complete path. */
async function operations() {
  const { paths } = await test.done<Paths>('GET', '/api/openapi.json')
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => METHODS.includes(method))
      .map((method) => ({
        method: method.toUpperCase(),
        path: path.replace(/(.)\/$/, '$1'),
        url: path.replace(/\{\w+\}/g, '1'),
      })),
  )
}

describe('access', () => {
  it('answers 401 without a token on every route of the document that is not public', async () => {
    const all = await operations()
    expect(all.length).toBeGreaterThan(45)
    for (const { method, path, url } of all) {
      if (PUBLIC.includes(path)) continue
      const answer = await problem(method, url, { token: null })
      expect(answer, `${method} ${path}`).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
      expect(answer.headers['content-type'], path).toContain('application/problem+json')
    }
  })

  it('allows a viewer to change only their own password', async () => {
    const viewer = await test.tokenOf('viewer')
    for (const { method, path, url } of await operations()) {
      const isOpen = ['/api/logs/search', '/api/operateurs/moi/mot_de_passe'].includes(path)
      if (PUBLIC.includes(path) || method === 'GET' || isOpen) continue
      const answer = await problem(method, url, { token: viewer })
      expect(answer, `${method} ${path}`).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    }
  })

  it('allows only an admin to change the list of stations', async () => {
    const token = await test.tokenOf('operator')
    const body = { id: 'pc-99', label: 'Poste 99' }
    expect((await problem('POST', '/api/postes', { token, body })).status).toBe(403)
    expect((await problem('DELETE', '/api/postes/pc-99', { token })).status).toBe(403)
  })

  it('refuses unknown authentication schemes, and accepts the scheme in upper and lower case', async () => {
    const token = await test.tokenOf('viewer')
    const nul = Buffer.from('\0:x').toString('base64')
    for (const authorization of [
      `Basic ${nul}`,
      token,
      `Token ${token}`,
      'Bearer',
      'Basic',
      'Basic !!!',
      'Bearer a b',
    ])
      expect((await problem('GET', '/api/postes', { headers: { authorization } })).status).toBe(401)
    const headers = { authorization: `bearer ${token}` }
    expect((await problem('GET', '/api/postes', { headers })).status).toBe(200)
  })
})

describe('paths and methods', () => {
  it('accepts every path with and without a trailing slash', async () => {
    for (const url of ['/api/postes', '/api/postes/', '/api/sessions/actives', '/api/sessions/actives/'])
      expect((await test.call('GET', url)).status).toBe(200)
  })

  it('answers 405 with the methods of a known path', async () => {
    for (const method of ['PATCH', 'OPTIONS', 'DELETE']) {
      const answer = await problem(method, '/api/postes/')
      expect(answer).toMatchObject({ status: 405, body: { code: 'method-not-allowed' } })
      expect(answer.headers['allow']).toBe('GET, HEAD, POST')
    }
    expect((await problem('POST', '/api/logs/1')).headers['allow']).toBe('GET, HEAD')
  })

  it.each([
    ['GET', '/api/sessions/validate_code/', 'POST'],
    ['PUT', '/api/sessions/actives', 'GET, HEAD'],
    ['DELETE', '/api/postes/stats/?page=1', 'GET, HEAD'],
    ['GET', '/api/logs/search', 'POST'],
    ['PUT', '/api/postes/commands', 'GET, HEAD, POST'],
  ])('does not read the name in %s %s as an identifier', async (method, url, allow) => {
    const answer = await problem(method, url)
    expect(answer).toMatchObject({ status: 405, body: { code: 'method-not-allowed' } })
    expect(answer.headers['allow']).toBe(allow)
  })

  it.each([
    '/api/nothing',
    '/api',
    '/api/postes/pc-1/nothing',
    '/api/utilisateurs/unknown',
    `/api/utilisateurs/${'x'.repeat(65)}`,
    `/api/utilisateurs/${'x'.repeat(101)}`,
    `/api/utilisateurs/${'x'.repeat(500)}`,
    '/api/utilisateurs/%00',
    '/api/utilisateurs/%zz',
    '/api/utilisateurs/%ff',
    '/api/postes/PC',
    '/api/logs/0',
    '/api/logs/abc',
    '/api/logs/99999999999999999999',
    '/api/logs/1e400',
  ])('answers that %s does not exist', async (url) => {
    const answer = await problem('GET', url)
    expect(answer).toMatchObject({ status: 404, body: { code: 'not-found', status: 404 } })
    expect(answer.headers['content-type']).toContain('application/problem+json')
  })

  it('treats a missing body of an action as an empty one', async () => {
    const { id } = await test.startSession()
    for (const action of ['suspend', 'resume', 'terminate'])
      expect((await test.call('POST', `/api/sessions/${id}/${action}`)).status).toBe(200)
    const headers = { 'content-type': 'application/json' }
    const { id: other } = await test.startSession()
    expect((await test.call('POST', `/api/sessions/${other}/suspend/`, { headers })).status).toBe(200)
  })
})

describe('invalid bodies', () => {
  const post = (body: string | object, headers: Record<string, string> = {}) =>
    problem('POST', '/api/utilisateurs', { body, headers })

  it.each([
    ['broken JSON', '{"firstName":', 400, 'malformed-json'],
    ['a text that is not JSON', 'firstName=Zoe', 400, 'malformed-json'],
    ['a prototype', '{"firstName":"A","lastName":"B","__proto__":{"isAdmin":true}}', 400, 'malformed-json'],
    [
      'a constructor',
      '{"firstName":"A","lastName":"B","constructor":{"prototype":{"isAdmin":true}}}',
      400,
      'malformed-json',
    ],
    ['null', 'null', 422, 'invalid-body'],
    ['a list', '[]', 422, 'invalid-body'],
    ['a text', '"text"', 422, 'invalid-body'],
    ['a number for a text', '{"firstName":1,"lastName":"B"}', 422, 'invalid-body'],
    ['a text for a boolean', '{"firstName":"A","lastName":"B","consentGiven":"true"}', 422, 'invalid-body'],
    ['null for an optional text', '{"firstName":"A","lastName":"B","email":null}', 422, 'invalid-body'],
    ['an empty name', '{"firstName":"","lastName":"B"}', 422, 'invalid-body'],
    ['no last name', '{"firstName":"A"}', 422, 'invalid-body'],
    ['a NUL character', '{"firstName":"A\\u0000","lastName":"B"}', 422, 'invalid-body'],
    ['an unknown field', '{"firstName":"A","lastName":"B","isAdmin":true}', 422, 'unknown-field'],
    ['a read-only field', '{"firstName":"A","lastName":"B","hasPhoto":true}', 422, 'unknown-field'],
  ])('refuses %s', async (_what, body, status, code) => {
    const answer = await post(body)
    expect(answer).toMatchObject({ status, body: { status, code, instance: '/api/utilisateurs' } })
    expect(answer.headers['content-type']).toContain('application/problem+json')
  })

  it('reports every invalid field', async () => {
    const { body } = await post({ firstName: 1, email: 'x', 'a/b~c': 1 })
    const pointers = (body.errors ?? []).map(({ pointer }) => pointer)
    expect(pointers.sort()).toEqual(['/a~1b~0c', '/email', '/firstName', '/lastName'])
  })

  it('refuses a body that is too large, by its length and while it streams', async () => {
    const large = { firstName: 'x'.repeat(2_000_000), lastName: 'B' }
    expect(await post(large)).toMatchObject({ status: 413, body: { code: 'body-too-large' } })
    const response = await test.app.http.inject({
      method: 'POST',
      url: '/api/utilisateurs',
      headers: { authorization: `Bearer ${await test.tokenOf('admin')}`, 'content-type': 'application/json' },
      payload: Readable.from(Array.from({ length: 40 }, () => Buffer.alloc(64_000, 32))),
    })
    expect(response.statusCode).toBe(413)
    expect(response.json()).toMatchObject({ code: 'body-too-large' })
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/xml',
    'nonsense',
  ])('refuses the media type %s', async (type) => {
    const answer = await post('{"firstName":"A","lastName":"B"}', { 'content-type': type })
    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } })
  })

  it('treats an empty body of any media type as a missing one', async () => {
    const { id } = await test.startSession()
    const response = await test.app.http.inject({
      method: 'POST',
      url: `/api/sessions/${id}/suspend/`,
      headers: {
        authorization: `Bearer ${await test.tokenOf('admin')}`,
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': '0',
      },
    })
    expect(response.statusCode).toBe(200)
  })

  it('orders each list by every field', async () => {
    const fieldsOf = {
      utilisateurs: ['id', 'phone', 'consentGiven', 'consentAt', 'consentRevokedAt', 'consentVersion'],
      sessions: ['id', 'endsAt', 'creditSeconds', 'mayOutliveClosing'],
    }
    for (const [list, fields] of Object.entries(fieldsOf))
      for (const field of fields)
        expect(await problem('GET', `/api/${list}?ordering=-${field}`), field).toMatchObject({ status: 200 })
  })

  it('orders running sessions by their end, with those without an end last', async () => {
    const [late, early, paused] = [
      await test.startSession({ minutes: 90 }),
      await test.startSession({ minutes: 80 }),
      await test.startSession({ minutes: 70 }),
    ]
    await test.done('POST', `/api/sessions/${paused.id}/suspend`)
    await test.createSession()
    const idsBy = async (ordering: string) => {
      const url = `/api/sessions?pageSize=200&ordering=${ordering}`
      const { results } = await test.done<{ results: { id: string; endsAt?: string }[] }>('GET', url)
      const ends = results.map(({ endsAt }) => endsAt ?? '')
      expect(ends.lastIndexOf('')).toBe(ends.length - 1)
      return results.map(({ id }) => id).filter((id) => id === late.id || id === early.id)
    }
    expect(await idsBy('endsAt')).toEqual([early.id, late.id])
    expect(await idsBy('-endsAt')).toEqual([late.id, early.id])
  })

  it.each([
    ['page=0'],
    ['page=x'],
    ['page=1.5'],
    ['page=1e308'],
    ['page=1e400'],
    ['pageSize=201'],
    ['pageSize=0'],
    ['nothing=1'],
    ['page=1&page=2'],
    ['ordering=a;b'],
    ['ordering=constructor'],
    ['ordering=-toString'],
    ['ordering=__proto__'],
    ['ordering=accessCode'],
    ['search=%00'],
    ['state=broken'],
    ['from=yesterday'],
  ])('refuses the query %s', async (query) => {
    const answer = await problem('GET', `/api/sessions?${query}`)
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-query' } })
  })

  it.each([
    'from=2016-12-31T23:59:60Z',
    'from=2026-01-01T08:00:00.123456789%2B02:00',
    'to=2026-01-01t08:00:00z',
    'ordering=-createdAt',
    'search=%27%20OR%201=1--',
    'search=%25_%5C',
    'search=%F0%9F%98%80',
    'page=1000000',
  ])('answers the query %s', async (query) => {
    const { status } = await problem('GET', `/api/sessions?${query}`)
    expect([200, 400]).toContain(status)
  })

  it('filters nested lists like the complete list', async () => {
    const user = await test.createUser()
    const { id, stationId } = await test.startSession({ userId: user.id })
    const idsAt = async (url: string) =>
      (await test.done<{ results: { id: string }[] }>('GET', url)).results.map((row) => row.id)
    expect(await idsAt(`/api/sessions/actives/?stationId=${stationId}`)).toEqual([id])
    expect(await idsAt('/api/sessions/actives/?stationId=nowhere')).toEqual([])
    expect(await idsAt(`/api/utilisateurs/${user.id}/sessions/?state=active`)).toEqual([id])
    expect(await idsAt(`/api/utilisateurs/${user.id}/sessions/?state=ended`)).toEqual([])
    expect(await idsAt(`/api/logs/by_session/?sessionId=${id}&action=session.started`)).toHaveLength(1)
  })

  it('never repeats a password or a code', async () => {
    const answer = await problem('POST', '/api/token', { body: { username: 'a', password: 'secret', x: 1 } })
    expect(JSON.stringify(answer.body)).not.toContain('secret')
  })
})

describe('languages', () => {
  const inLanguage = (accept: string | undefined) =>
    problem('GET', '/api/utilisateurs/unknown', {
      headers: accept === undefined ? {} : { 'accept-language': accept },
    })

  it.each([
    undefined,
    '',
    '*',
    'fr',
    'fr-CA,en;q=0.8',
    'de',
    'de,en;q=0',
    '*,en;q=0.5',
    'en;q=0.5,fr;q=0.9',
    'english',
  ])('answers in French for %s', async (accept) => {
    expect((await inLanguage(accept)).body.title).toBe(errorTable['not-found'].title.fr)
  })

  it.each(['en', 'en-GB', 'de,en;q=0.5', 'EN-us, fr;q=0.5'])('answers in English for %s', async (accept) => {
    expect((await inLanguage(accept)).body.title).toBe(errorTable['not-found'].title.en)
  })

  it('describes the error of a field in the reader’s language', async () => {
    const tell = async (language: string) => {
      const headers = { 'accept-language': language }
      return (await problem('POST', '/api/utilisateurs', { body: { firstName: 'A' }, headers })).body.errors
    }
    expect(await tell('fr')).toEqual([{ pointer: '/lastName', message: 'Ce champ est obligatoire.' }])
    expect(await tell('en')).toEqual([{ pointer: '/lastName', message: 'This field is required.' }])
  })
})

describe('the service itself', () => {
  it('reports that it is alive and ready, and sends its security headers', async () => {
    expect(await test.call('GET', '/healthz', { token: null })).toMatchObject({ status: 200 })
    const ready = await test.call('GET', '/readyz', { token: null })
    expect(ready).toMatchObject({ status: 200, body: { status: 'ready' } })
    expect(ready.headers).toMatchObject({ 'x-content-type-options': 'nosniff' })
    expect(ready.headers['content-security-policy']).toContain("script-src 'self'")
  })

  it('answers a list to a client without a Host header', async () => {
    await test.createStation()
    await test.createStation()
    const headers = { host: '' }
    const answer = await test.call<{ next: string }>('GET', '/api/postes?pageSize=1', { headers })
    expect(answer.status).toBe(200)
    expect(answer.body.next).toContain('/api/postes?pageSize=1&page=2')
  })
})
