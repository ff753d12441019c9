import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestApp, type TestApp } from '../../testing/app.ts'
import { requireStrongPassword } from '../operators/password-strength.ts'

const PASSWORD = 'brouette girafe lundi tango'
const HOUR = 3_600_000
const DAY = 24 * HOUR

interface Pair {
  access: string
  refresh: string
}

let test: TestApp
let names = 0

vi.setConfig({ testTimeout: 60_000, hookTimeout: 20_000 })
beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const login = (username: string, password = PASSWORD, ip = '192.0.2.1') =>
  test.call<Pair & { code: string }>('POST', '/api/token/', { body: { username, password }, token: null, ip })
const refresh = (token: string) =>
  test.call<Pair>('POST', '/api/token/refresh/', { body: { refresh: token }, token: null })
const revoke = (token: string) =>
  test.call('POST', '/api/token/revoke/', { body: { refresh: token }, token: null })
const statusWith = async (token: string) => (await test.call('GET', '/api/postes/', { token })).status
const addOperator = async (role = 'operator', password = PASSWORD) => {
  const username = `personne-${(names += 1)}`
  const { id } = await test.done<{ id: string }>('POST', '/api/operateurs/', { username, role, password })
  return { id, username }
}
const changeOwn = (token: string, currentPassword: string, newPassword: string) =>
  test.call<{ code: string; errors?: { pointer: string }[] }>('POST', '/api/operateurs/moi/mot_de_passe/', {
    body: { currentPassword, newPassword },
    token,
    ip: '192.0.2.1',
  })
/** Opens everything that a sign-in can have open. */
async function open({ access, refresh: token }: Pair) {
  const live = await test.live('', { token: access })
  await live.next('connection_established')
  const { client } = await test.mqtt('operator', access, { clientId: `operator:${(names += 1)}` })
  const cut = new Promise((resolve) => client.once('close', () => resolve(undefined)))
  return { access, token, live, client, cut }
}
async function expectEnded({ access, token, live, cut }: Awaited<ReturnType<typeof open>>): Promise<void> {
  expect(await live.closed).toBe(4401)
  await cut
  expect(await statusWith(access)).toBe(401)
  expect((await refresh(token)).status).toBe(401)
  await expect(test.mqtt('operator', access, { clientId: 'operator:again' })).rejects.toThrow()
}
async function expectOpen({ access, live, client }: Awaited<ReturnType<typeof open>>): Promise<void> {
  live.send({ type: 'heartbeat' })
  await live.next('heartbeat')
  expect(client.connected).toBe(true)
  expect(await statusWith(access)).toBe(200)
}

describe('a sign-in', () => {
  it('ends everywhere when its operator signs out, and other sign-ins continue', async () => {
    const { username } = await addOperator()
    const first = await open((await login(username)).body)
    const other = await open((await login(username)).body)
    expect(await revoke(first.token)).toMatchObject({ status: 200, body: {} })
    await expectEnded(first)
    await expectOpen(other)
    expect((await test.journal('action=auth.signed_out')).length).toBe(1)
  })

  it('ends everywhere when one of its refresh tokens is used twice', async () => {
    const { username } = await addOperator()
    const first = await open((await login(username)).body)
    expect((await refresh(first.token)).status).toBe(200)
    test.advanceClock(10_001)
    expect((await refresh(first.token)).status).toBe(401)
    await expectEnded(first)
  })

  it.each(['role', 'password'])('ends everywhere when an admin changes the %s', async (what) => {
    const { id, username } = await addOperator()
    const opened = await open((await login(username)).body)
    const change = what === 'role' ? { role: 'viewer' } : { role: 'operator', password: `${PASSWORD} zinc` }
    await test.done('PUT', `/api/operateurs/${id}/`, { isActive: true, ...change })
    await expectEnded(opened)
  })

  it('ends after seven days, however often it is renewed, together with its last access token', async () => {
    const { username } = await addOperator()
    let { refresh: token, access } = (await login(username)).body
    let renewedHours = 0
    for (let hours = 0; ; hours += 10) {
      const answer = await refresh(token)
      if (answer.status !== 200) break
      renewedHours = hours
      ;({ refresh: token, access } = answer.body)
      test.advanceClock(10 * HOUR)
    }
    expect(renewedHours * HOUR).toBeGreaterThan(6.5 * DAY)
    expect(renewedHours * HOUR).toBeLessThanOrEqual(7 * DAY)
    expect(await statusWith(access)).toBe(401)
  })

  it('is refused when the password changes during its check', async () => {
    const { id, username } = await addOperator()
    const body = { role: 'operator', isActive: true, password: `${PASSWORD} nickel` }
    const change = test.call('PUT', `/api/operateurs/${id}/`, { body })
    // The old hash is read before the change is written, and checked after it, because checks run in order.
    const [late] = await Promise.all([login(username), change])
    const { status } =
      late.status === 200 ? await test.call('GET', '/api/postes/', { token: late.body.access }) : late
    expect(status).toBe(401)
  })

  it('can end with an unknown token, and nothing is written', async () => {
    const before = (await test.journal()).length
    expect((await revoke('unknown')).status).toBe(200)
    expect((await test.journal()).length).toBe(before)
  })
})

describe('an operator’s own password', () => {
  it('is changed with the current one; this sign-in continues, all others end', async () => {
    const { username } = await addOperator('viewer')
    const mine = await open((await login(username)).body)
    const elsewhere = await open((await login(username)).body)
    const next = 'pelle citron mardi valse'
    expect((await changeOwn(mine.access, PASSWORD, next)).status).toBe(200)
    await expectEnded(elsewhere)
    await expectOpen(mine)
    expect((await login(username)).status).toBe(401)
    expect((await login(username, next)).status).toBe(200)
  })

  it('does not change when the current one is wrong, and attempts are counted', async () => {
    const { username } = await addOperator()
    const { access } = (await login(username)).body
    for (let wrong = 0; wrong < 5; wrong += 1) {
      const answer = await changeOwn(access, `faux ${wrong}`, 'pelle citron mardi valse')
      expect(answer).toMatchObject({ status: 422, body: { code: 'wrong-password' } })
      expect(answer.body.errors?.[0]?.pointer).toBe('/currentPassword')
    }
    const blocked = await changeOwn(access, PASSWORD, 'pelle citron mardi valse')
    expect(blocked).toMatchObject({ status: 429, body: { code: 'login-throttled' } })
    expect((await login(username)).status).toBe(429)
  })

  it('exists only for operators', async () => {
    const body = { currentPassword: 'a', newPassword: 'b' }
    const url = '/api/operateurs/moi/mot_de_passe/'
    expect((await test.call('POST', url, { body, token: null })).status).toBe(401)
  })
})

describe('a weak password', () => {
  it.each(['court', 'motdepasse123', 'Escale2026!!'])('is refused everywhere: %s', async (weak) => {
    const { id, username } = await addOperator()
    const { access } = (await login(username)).body
    const answers = [
      await test.call('POST', '/api/operateurs/', {
        body: { username: 'n', role: 'viewer', password: weak },
      }),
      await test.call('PUT', `/api/operateurs/${id}/`, {
        body: { role: 'operator', isActive: true, password: weak },
      }),
      await changeOwn(access, PASSWORD, weak),
    ]
    const pointers = ['/password', '/password', '/newPassword']
    for (const [index, answer] of answers.entries()) {
      expect(answer).toMatchObject({ status: 422, body: { code: 'weak-password' } })
      expect(answer.body).toMatchObject({ errors: [{ pointer: pointers[index] }] })
    }
    expect((await login(username)).status).toBe(200)
  })

  it.each([
    'aaaaaaaaaaaaaaaa',
    '123456789012',
    'azertyuiop12',
    'Password1234',
    'bibliotheque2026',
    'Bibliothèque2026',
    'Soleil2024!!!',
    'deux mots',
    'HÉLOÏSE-girafe',
    'heloise-escale-2026',
    'abc'.repeat(300),
  ])('is recognised: %s', async (weak) => {
    await expect(requireStrongPassword(weak, 'heloise')).rejects.toMatchObject({ code: 'weak-password' })
  })

  it.each([
    PASSWORD,
    'k7Gp-2mVq-9Lhx',
    'été à la forêt brûlée',
    'Brouette-HÉLOÏSE-girafe-lundi',
    'epreuve-du-metier-principal',
    PASSWORD.repeat(30),
  ])('is not found in a strong one: %s', async (strong) => {
    await requireStrongPassword(strong, 'heloise')
  })

  it('cannot create the first operator', async () => {
    await test.db.models.operators.destroy({ where: {} })
    await expect(test.app.operators.ensureFirst('admin', 'motdepasse1234')).rejects.toMatchObject({
      code: 'weak-password',
    })
    expect(await test.app.operators.ensureFirst('Admin', PASSWORD)).toBe(true)
    expect((await login('admin')).status).toBe(200)
  })
})

describe('a typed username or password', () => {
  it.each(['marie', 'Marie', 'MARIE', ' marie ', 'ｍａｒｉｅ'])('matches the username: %s', async (typed) => {
    const token = (await login('admin')).body.access
    const body = { username: 'Marie', role: 'viewer', password: PASSWORD }
    const made = await test.call('POST', '/api/operateurs/', { body, token })
    expect([201, 409]).toContain(made.status)
    if (made.status === 201) expect(made.body['username']).toBe('marie')
    expect((await login(typed)).status).toBe(200)
  })

  it('matches the password in any Unicode form, also for an old hash of another form', async () => {
    const token = (await login('admin')).body.access
    const password = 'été à la forêt brûlée'
    const body = { username: 'noel', role: 'viewer', password: password.normalize('NFD') }
    expect((await test.call('POST', '/api/operateurs/', { body, token })).status).toBe(201)
    for (const form of ['NFC', 'NFD'] as const)
      expect((await login('noel', password.normalize(form))).status).toBe(200)
    await test.db.models.operators.update(
      { passwordHash: await hashedAsTyped(password.normalize('NFD')) },
      { where: { username: 'noel' } },
    )
    for (const form of ['NFC', 'NFD'] as const)
      expect((await login('noel', password.normalize(form))).status).toBe(200)
    expect((await login('noel', 'ete a la foret brulee')).status).toBe(401)
  })
})

/** A hash as it was created before passwords were normalised. */
async function hashedAsTyped(password: string): Promise<string> {
  const { randomBytes, scryptSync } = await import('node:crypto')
  const salt = randomBytes(16)
  const key = scryptSync(password, salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 })
  return `scrypt$${salt.toString('base64url')}$${key.toString('base64url')}`
}
