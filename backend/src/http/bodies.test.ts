import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Problem } from '@escale/protocol'
import { startTestApp, type TestApp } from '../testing/app.ts'

let test: TestApp
beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const post = (url: string, body: string | Buffer | object, headers: Record<string, string> = {}) =>
  test.call<Problem>('POST', url, { body, headers })
const user = (fields: object = {}) => ({ firstName: 'A', lastName: 'B', ...fields })
const unknownFields = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`, 1]))
const pointersOf = ({ body }: { body: Problem }) => (body.errors ?? []).map(({ pointer }) => pointer)

describe('a body with many errors', () => {
  it('is answered with the first twenty', async () => {
    const answer = await post('/api/utilisateurs', user(unknownFields(200)))
    expect(answer).toMatchObject({ status: 422, body: { code: 'unknown-field' } })
    expect(pointersOf(answer)).toHaveLength(20)
  })

  it.each([
    ['unknown fields', '/api/utilisateurs', user(unknownFields(5_000)), 'unknown-field'],
    [
      'wrong items of a list',
      '/api/postes/commands',
      { op: 'lock', stationIds: Array(9_000).fill('É') },
      'invalid-body',
    ],
    [
      'a list too long',
      '/api/postes/commands',
      { op: 'lock', stationIds: Array(9_000).fill('pc-1') },
      'invalid-body',
    ],
    [
      'unknown fields within',
      '/api/parametres',
      { openingHours: { week: unknownFields(5_000) } },
      'invalid-body',
    ],
  ])('with %s is cheap: only the first error is reported', async (_what, url, body, code) => {
    const answer = await test.call<Problem>(url === '/api/parametres' ? 'PUT' : 'POST', url, { body })
    expect(answer).toMatchObject({ status: 422, body: { code } })
    expect(answer.body.errors).toHaveLength(1)
  })

  it('is refused by its size before it is read, on public endpoints', async () => {
    for (const url of ['/api/token', '/api/token/refresh', '/api/token/verify', '/api/postes/enrol']) {
      const padded = (bytes: number) => JSON.stringify({ x: '' }).replace('""', `"${'x'.repeat(bytes - 8)}"`)
      expect((await post(url, padded(4_096))).status, url).toBe(422)
      expect(await post(url, padded(4_097)), url).toMatchObject({
        status: 413,
        body: { code: 'body-too-large' },
      })
    }
  })

  it('may have 64 KiB from an authenticated caller', async () => {
    const padded = (bytes: number) =>
      JSON.stringify(user({ x: '' })).replace('""', `"${'x'.repeat(bytes - 39)}"`)
    expect(padded(65_536)).toHaveLength(65_536)
    expect((await post('/api/utilisateurs', padded(65_536))).status).toBe(422)
    expect((await post('/api/utilisateurs', padded(65_537))).status).toBe(413)
  })

  it('may contain opening hours of a whole year', async () => {
    const spans = Array.from({ length: 6 }, (_, i) => ({ opens: `0${i}:00`, closes: `0${i}:30` }))
    const exceptions = Array.from({ length: 366 }, (_, day) => ({
      date: new Date(Date.UTC(2028, 0, 1 + day)).toISOString().slice(0, 10),
      spans,
    }))
    const { jobs: _jobs, ...settings } = await test.done<Record<string, unknown>>('GET', '/api/parametres')
    const body = {
      ...settings,
      terms: 'é'.repeat(20_000),
      openingHours: { week: Array(7).fill(spans), exceptions },
    }
    expect((await test.call('PUT', '/api/parametres', { body })).status).toBe(200)
  })

  it('does not hide that a path or a method does not exist', async () => {
    const large = 'x'.repeat(100_000)
    expect(await post('/api/nothing', large)).toMatchObject({ status: 404 })
    expect(await test.call('PATCH', '/api/utilisateurs', { body: large })).toMatchObject({ status: 405 })
    expect(await test.call('PATCH', '/api/utilisateurs/1', { body: large })).toMatchObject({ status: 405 })
  })
})

describe('deep nesting', () => {
  const deep = (depth: number) => `${'[{"a":'.repeat(depth)}1${'}]'.repeat(depth)}`
  const wrapped = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

  it.each([
    ['a read-only field', 'PUT', '/api/utilisateurs/', 'id'],
    ['an unknown field', 'PUT', '/api/utilisateurs/', 'x'],
    ['a text', 'PUT', '/api/utilisateurs/', 'notes'],
    ['what a command takes', 'POST', '/api/postes/commands', 'params'],
  ])('is refused in %s', async (_what, method, url, name) => {
    const path = url.endsWith('/') ? url + (await test.createUser()).id : url
    for (const value of [deep(2_500), wrapped(5_000), wrapped(30_000)]) {
      const body = JSON.stringify(user({ [name]: 'HERE' })).replace('"HERE"', value)
      const answer = await test.call<Problem>(method, path, { body })
      expect(answer).toMatchObject({ status: 422, body: { code: 'invalid-body' } })
      expect(pointersOf(answer)[0]).toMatch(new RegExp(`^/${name}`))
    }
  })

  it('is refused as a whole body, also without authentication', async () => {
    for (const url of ['/api/token', '/api/utilisateurs'])
      for (const body of [deep(400), wrapped(2_000)])
        expect(await post(url, body), url).toMatchObject({ status: 422, body: { code: 'invalid-body' } })
  })

  it('has no effect in a URL', async () => {
    const query = `search${'[a]'.repeat(2_000)}=x`
    expect(await test.call('GET', `/api/utilisateurs?${query}`)).toMatchObject({ status: 400 })
  })
})

describe('text', () => {
  const rene = '{"firstName":"René","lastName":"B"}'

  it('that is not UTF-8 is refused as invalid JSON', async () => {
    for (const encoding of ['latin1', 'utf16le'] as const) {
      const answer = await post('/api/utilisateurs', Buffer.from(rene, encoding))
      expect(answer).toMatchObject({ status: 400, body: { code: 'malformed-json' } })
      expect(answer.body.detail).toContain('UTF-8')
    }
    const surrogate = Buffer.from('{"firstName":"\xed\xa0\x80","lastName":"B"}', 'latin1')
    expect((await post('/api/utilisateurs', surrogate)).status).toBe(400)
    const cut = Buffer.from('{"firstName":"\xc3","lastName":"B"}', 'latin1')
    expect((await post('/api/token', cut)).status).toBe(400)
  })

  it('of a charset other than UTF-8 is refused', async () => {
    for (const charset of ['iso-8859-1', 'utf-16', '"windows-1252"', 'UTF-7']) {
      const answer = await post('/api/utilisateurs', rene, {
        'content-type': `application/json; charset=${charset}`,
      })
      expect(answer, charset).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } })
      expect(answer.body.detail).toContain('UTF-8')
    }
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8']) {
      const answer = await post('/api/utilisateurs', rene, {
        'content-type': `application/json;charset=${charset}`,
      })
      expect(answer, charset).toMatchObject({ status: 201, body: { firstName: 'René' } })
    }
  })

  it('with a lone surrogate is refused with its place', async () => {
    for (const [half, pointer] of [
      ['{"firstName":"A\\ud83d","lastName":"B"}', '/firstName'],
      ['{"firstName":"A","lastName":"B","notes":"\\ude00\\ud83d"}', '/notes'],
      ['{"firstName":"A","lastName":"B","x\\udc00":1}', '/x\udc00'],
    ] as const) {
      const answer = await post('/api/utilisateurs', half)
      expect(answer).toMatchObject({ status: 422, body: { code: 'invalid-body' } })
      expect(pointersOf(answer)).toEqual([pointer])
    }
    expect((await post('/api/utilisateurs', '{"firstName":"\\ud83d\\ude00","lastName":"B"}')).status).toBe(
      201,
    )
  })

  it('of a URL must be UTF-8 too', async () => {
    await test.createUser({ firstName: 'Éloïse' })
    const found = async (query: string) => {
      const answer = await test.call<{ count: number }>('GET', `/api/utilisateurs?search=${query}`)
      return answer.status === 200 ? answer.body.count : answer.status
    }
    expect(await found('%C3%89lo%C3%AFse')).toBe(1)
    expect(await found('100%')).toBe(0)
    for (const query of ['%E9', '%ED%A0%80', 'a%C3', '%C3%28', '%FF'])
      expect(await found(query), query).toBe(400)
  })
})
