import { setTimeout as pause } from 'node:timers/promises'
import type { Account, Operator, TokenPair } from '@escale/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { App } from '../../app.ts'
import { startTestApp, type TestApp } from '../../testing/app.ts'

let test: TestApp
/** Another server on the same database, without a connection between the two. */
let other: App
beforeAll(async () => {
  test = await startTestApp()
  other = await test.startAnother()
})
afterAll(() => test.stop())

const PASSWORD = 'brouette azur lundi cactus'
let drawn = 0

async function addOperator(): Promise<Operator & { access: string; refresh: string }> {
  const username = `agent-${(drawn += 1)}`
  const role = 'operator'
  const operator = await test.done<Operator>('POST', '/api/operateurs', {
    username,
    password: PASSWORD,
    role,
  })
  const login = { body: { username, password: PASSWORD }, token: null }
  return { ...operator, ...(await test.call<TokenPair>('POST', '/api/token', login)).body }
}

async function addAccount(): Promise<Account & { headers: Record<string, string> }> {
  const id = `machine-${(drawn += 1)}`
  const { secret, ...account } = await test.done<Account & { secret: string }>('POST', '/api/comptes', {
    id,
    kind: 'automation',
    label: id,
    role: 'operator',
  })
  const headers = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
  return { ...account, headers }
}

type Asked = Parameters<TestApp['call']>[2]
const statusOf = async (asked: Asked) => (await test.call('GET', '/api/postes', asked)).status

async function statements(): Promise<number> {
  const { body } = await test.app.http.inject({ url: '/metrics', remoteAddress: '127.0.0.1' })
  return Number(/^escale_database_statements_total (\d+)$/m.exec(body)?.[1])
}

const TIMES = 20
/** The account is authenticated, but this call is forbidden. */
const KNOWN = 403

/** Checks that later calls need no statement for rights. */
async function expectRemembered(asked: Asked, status = 200): Promise<void> {
  // Rights are cached once the journal has been polled, after one second.
  await pause(1_100)
  expect(await statusOf(asked)).toBe(status)
  const before = await statements()
  for (let time = 0; time < TIMES; time += 1) expect(await statusOf(asked)).toBe(status)
  // The server itself sends a few statements each second.
  expect((await statements()) - before).toBeLessThan(TIMES)
}

/** @returns milliseconds until the answer has this status */
async function untilStatus(status: number, asked: Asked): Promise<number> {
  const startedAtMs = performance.now()
  while ((await statusOf(asked)) !== status) await pause(20)
  return performance.now() - startedAtMs
}

const WITHIN_MS = 2_000
const operatorPath = ({ id }: { id: string }) => `/api/operateurs/${id}`
const accountPath = ({ id }: { id: string }) => `/api/comptes/${id}`

describe('a cached right', () => {
  it.each([
    ['an operator is disabled', 'DELETE', operatorPath, undefined],
    ['an operator is given another role', 'PUT', operatorPath, { role: 'viewer', isActive: true }],
    [
      'an operator is given another password',
      'PUT',
      operatorPath,
      { role: 'operator', isActive: true, password: 'pelle citron mardi valse' },
    ],
  ] as const)('ends within 2 s when %s by another process', async (_what, method, path, body) => {
    const operator = await addOperator()
    const asked = { token: operator.access }
    await expectRemembered(asked)
    await test.call(method, path(operator), { app: other, ...(body && { body }) })
    expect(await untilStatus(401, asked)).toBeLessThan(WITHIN_MS)
  })

  it('ends within 2 s when its operator signs out at another process', async () => {
    const { access, refresh } = await addOperator()
    await expectRemembered({ token: access })
    await test.call('POST', '/api/token/revoke', { app: other, token: null, body: { refresh } })
    expect(await untilStatus(401, { token: access })).toBeLessThan(WITHIN_MS)
  })

  it.each([
    ['is disabled', 'PUT', accountPath, { label: 'x', role: 'operator', isActive: false }],
    [
      'is given another secret',
      'POST',
      (account: Account) => `${accountPath(account)}/renouveler`,
      undefined,
    ],
    ['is deleted', 'DELETE', accountPath, undefined],
  ] as const)('ends within 2 s when an account %s by another process', async (_what, method, path, body) => {
    const account = await addAccount()
    const asked = { token: null, headers: account.headers }
    await expectRemembered(asked, KNOWN)
    await test.call(method, path(account), { app: other, ...(body && { body }) })
    expect(await untilStatus(401, asked)).toBeLessThan(WITHIN_MS)
  })

  it('ends at once when this process ends it', async () => {
    const operator = await addOperator()
    await expectRemembered({ token: operator.access })
    await test.done('DELETE', operatorPath(operator))
    expect(await statusOf({ token: operator.access })).toBe(401)
  })

  it('is not given for a wrong secret after a right one', async () => {
    const account = await addAccount()
    await expectRemembered({ token: null, headers: account.headers }, KNOWN)
    const wrong = `Basic ${Buffer.from(`${account.id}:autre`).toString('base64')}`
    expect(await statusOf({ token: null, headers: { authorization: wrong } })).toBe(401)
    expect(await statusOf({ token: null, headers: account.headers })).toBe(KNOWN)
  })
})
