import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestApp, type TestApp } from '../../testing/app.ts'

const PASSWORD = 'correct horse battery'
const MINUTE = 60_000

interface Tokens {
  access: string
  refresh: string
}

let test: TestApp
let tokens: Tokens

const login = (username: string, password: string, ip = '192.0.2.1') =>
  test.call<Tokens & { code: string }>('POST', '/api/token/', {
    body: { username, password },
    token: null,
    ip,
  })
const refresh = (token: string) =>
  test.call<Tokens & { code: string }>('POST', '/api/token/refresh/', {
    body: { refresh: token },
    token: null,
  })
const verify = (token: string) => test.call('POST', '/api/token/verify/', { body: { token }, token: null })

// Checking a password takes about half a second.
vi.setConfig({ testTimeout: 15_000, hookTimeout: 15_000 })

beforeAll(async () => {
  test = await startTestApp()
  await test.db.models.operators.destroy({ where: {} })
  expect(await test.app.operators.ensureFirst('desk', PASSWORD)).toBe(true)
  const answer = await login('desk', PASSWORD)
  expect(answer.status).toBe(200)
  tokens = answer.body
})
afterAll(() => test.stop())

describe('signing in', () => {
  it('creates the first operator only once', async () => {
    expect(await test.app.operators.ensureFirst('other', PASSWORD)).toBe(false)
  })

  it('gives an access token that opens the API', async () => {
    expect((await test.call('GET', '/api/postes', { token: tokens.access })).status).toBe(200)
  })

  it('gives the same answer to a wrong password and an unknown username', async () => {
    const wrong = await login('desk', 'wrong')
    const unknown = await login('nobody', 'wrong')
    expect(wrong).toMatchObject({ status: 401, body: { code: 'login-failed' } })
    expect(unknown.body).toEqual(wrong.body)
    expect(unknown.headers['content-length']).toBe(wrong.headers['content-length'])
  })

  it('blocks who guesses for some time, and nobody else', async () => {
    const guess = () => login('desk@192.0.2.9', 'wrong', '192.0.2.7')
    for (let i = 0; i < 5; i += 1) expect((await guess()).status).toBe(401)
    const blocked = await guess()
    expect(blocked).toMatchObject({ status: 429, body: { code: 'login-throttled' } })
    expect(Number(blocked.headers['retry-after'])).toBeGreaterThan(20)
    // A username that could be confused with the key of the block of `desk` at that address.
    expect((await login('desk', PASSWORD, '192.0.2.9')).status).toBe(200)
    test.advanceClock(MINUTE)
    expect((await guess()).status).toBe(401)
  })

  it('logs who signed in and from where, but not the username of a failed attempt', async () => {
    const logs = await test.call<{ results: { actor: { id: string; label: string }; ip: string }[] }>(
      'GET',
      '/api/logs?action=auth.login_failed',
      { token: tokens.access },
    )
    expect(logs.body.results.length).toBeGreaterThan(0)
    expect(JSON.stringify(logs.body.results)).not.toContain('desk@192')
  })
})

describe('tokens', () => {
  it('accepts an access token, and no other text', async () => {
    expect(await verify(tokens.access)).toMatchObject({ status: 200, body: {} })
    for (const token of [tokens.refresh, 'x', `${tokens.access}x`, tokens.access.slice(0, -4)])
      expect(await verify(token)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
  })

  it.each(['alg none', 'signed by another installation', 'of a deleted operator', 'with a changed role'])(
    'refuses a token %s',
    async (kind) => {
      const [header = '', payload = '', signature = ''] = tokens.access.split('.')
      const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
      const forged: Record<string, string> = {
        'alg none': `${encode({ alg: 'none' })}.${payload}.`,
        'signed by another installation': await test.tokenOf('admin', Buffer.alloc(32, 7)),
        'of a deleted operator': await test.tokenOf('admin'),
        'with a changed role': `${header}.${encode({ ...claims, role: 'admin', exp: 9_999_999_999 })}.${signature}`,
      }
      const answer = await test.call('GET', '/api/postes', { token: forged[kind] ?? '' })
      expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } })
    },
  )

  it('renews both tokens; the old one is accepted for another 10 seconds, and then revokes its family', async () => {
    const first = (await login('desk', PASSWORD)).body
    const second = await refresh(first.refresh)
    expect(second.status).toBe(200)
    expect(second.body.refresh).not.toBe(first.refresh)
    expect((await refresh(first.refresh)).status).toBe(200)
    test.advanceClock(10_001)
    expect(await refresh(first.refresh)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    expect((await refresh(second.body.refresh)).status).toBe(401)
    expect((await test.call('GET', '/api/postes', { token: second.body.access })).status).toBe(401)
    const reused = await test.call<{ count: number }>('GET', '/api/logs?action=auth.token_reused', {
      token: tokens.access,
    })
    expect(reused.body.count).toBe(1)
  })

  it('does not end other sign-ins of the operator when one family is revoked', async () => {
    expect((await refresh(tokens.refresh)).status).toBe(200)
  })

  it('refuses an access token after ten minutes and a refresh token after its lifetime', async () => {
    const mine = (await login('desk', PASSWORD)).body
    test.advanceClock(10 * MINUTE + 1_000)
    expect((await test.call('GET', '/api/postes', { token: mine.access })).status).toBe(401)
    test.advanceClock(24 * 60 * MINUTE)
    expect((await refresh(mine.refresh)).status).toBe(401)
  })

  it('stores no refresh token in plain text', async () => {
    const rows = await test.db.models.refreshTokens.findAll()
    expect(JSON.stringify(rows)).not.toContain(tokens.refresh)
  })
})
