import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Problem, User } from '@escale/protocol'
import { startTestApp, type TestApp } from '../../testing/app.ts'

let test: TestApp

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const get = (id: string) => test.call<User & Problem>('GET', `/api/utilisateurs/${id}/`)
/** `YYYY-MM-DD` in Paris, where the site is. */
const dayFromNow = (days: number) =>
  new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Paris' }).format(
    test.clock.nowMs() + days * 86_400_000,
  )
const put = (id: string, body: object, headers?: Record<string, string>) =>
  test.call<User & Problem>('PUT', `/api/utilisateurs/${id}/`, { body, headers })

describe('a user', () => {
  it('is returned as written, with the fields that only the server sets', async () => {
    const user = await test.createUser({
      firstName: 'Renée',
      email: 'renee@example.org',
      phone: '+33 (0)1.02-03',
      birthDate: '1950-02-28',
      sex: 'female',
      municipality: 'Saint-Étienne',
      occupation: 'retraitée',
      notes: 'préfère le matin',
    })
    expect(user).toMatchObject({
      firstName: 'Renée',
      consentGiven: true,
      consentVersion: '1',
      hasPhoto: false,
    })
    expect(user.consentAt).toBe(user.createdAt)
    expect((await get(user.id)).body).toEqual(user)
  })

  it.each([
    ['a birth date that does not exist', { birthDate: '2026-02-30' }],
    ['an address without a host', { email: 'renee@' }],
    ['a telephone of letters', { phone: 'abc' }],
    ['a telephone of blanks', { phone: '     ' }],
    ['a birth date to come', { birthDate: '2199-01-01' }],
    ['a birth date of another century', { birthDate: '1899-12-31' }],
    ['a first name of blanks', { firstName: ' \u00a0 ' }],
    ['a last name that talks to a terminal', { lastName: 'Martin\u001b[2J' }],
    ['a municipality on two lines', { municipality: 'Brest\n=1+1' }],
    ['an occupation that reads backwards', { occupation: '\u202eeriam' }],
    ['notes that ring', { notes: 'ding\u0007' }],
    ['a sex that is not listed', { sex: 'x' }],
    ['notes without an end', { notes: 'x'.repeat(2_001) }],
  ])('is refused with %s', async (_what, fields) => {
    const body = { firstName: 'A', lastName: 'B', ...fields }
    const answer = await test.call('POST', '/api/utilisateurs', { body })
    const errors = Object.keys(fields).map((name) => ({ pointer: `/${name}` }))
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid-body', errors } })
  })

  it('may be born today in the site’s time zone', async () => {
    expect((await test.createUser({ birthDate: dayFromNow(0) })).birthDate).toBe(dayFromNow(0))
    const { id } = await test.createUser()
    const body = { firstName: 'A', lastName: 'B', birthDate: dayFromNow(1) }
    expect((await put(id, body)).body).toMatchObject({ errors: [{ pointer: '/birthDate' }] })
  })

  it('stores its telephone number with plain spaces, and is found by it with any spaces', async () => {
    const { id, phone } = await test.createUser({ phone: '06\u00a055\u202f44\u200933 22' })
    expect(phone).toBe('06 55 44 33 22')
    const found = async (typed: string) =>
      (await test.done<{ results: User[] }>('GET', `/api/utilisateurs?phone=${encodeURIComponent(typed)}`))
        .results
    expect((await found('06\u202f55 44 33 22')).map((user) => user.id)).toEqual([id])
  })

  it('is replaced completely, and loses omitted fields', async () => {
    const before = await test.createUser({ notes: 'x', phone: '0102' })
    const { notes: _notes, ...rest } = before
    const { status, body, headers } = await put(
      before.id,
      { ...rest, lastName: 'Durand' },
      { 'if-match': '"1"' },
    )
    expect(status).toBe(200)
    expect(body).toMatchObject({ lastName: 'Durand', phone: '0102', consentAt: before.consentAt })
    expect(body).not.toHaveProperty('notes')
    expect(headers['etag']).toBe('"2"')
    expect(await put(before.id, { ...rest }, { 'if-match': '"1"' })).toMatchObject({
      status: 412,
      body: { code: 'version-conflict' },
    })
  })

  it('loses consent only by the action for it, which ends its sessions', async () => {
    const user = await test.createUser()
    const running = await test.startSession({ userId: user.id })
    const pending = await test.createSession({ userId: user.id })
    expect(await put(user.id, { ...user, consentGiven: false })).toMatchObject({
      status: 422,
      body: { code: 'use-revoke-consent' },
    })
    const answer = await test.call<User>('POST', `/api/utilisateurs/${user.id}/revoke_consent/`)
    expect(answer.body).toMatchObject({ consentGiven: false })
    expect(answer.body.consentRevokedAt).toBeDefined()
    for (const { id } of [running, pending]) expect((await test.session(id)).state).toBe('ended')
    const actions = (await test.journal(`userId=${user.id}`)).map(({ action }) => action)
    expect(actions.filter((action) => action === 'user.consent_revoked')).toHaveLength(1)
    const again = await test.call('POST', `/api/utilisateurs/${user.id}/revoke_consent`)
    expect(again.headers['etag']).toBe(answer.headers['etag'])
  })

  it('cannot be removed during a session; afterwards its sessions stay without a name', async () => {
    const user = await test.createUser()
    const { id } = await test.startSession({ userId: user.id })
    const pending = await test.createSession({ userId: user.id })
    const remove = (headers?: Record<string, string>) =>
      test.call('DELETE', `/api/utilisateurs/${user.id}/`, { headers })
    expect(await remove()).toMatchObject({ status: 409, body: { code: 'session-active' } })
    await test.done('POST', `/api/sessions/${id}/terminate`)
    expect((await remove({ 'if-match': '"9"' })).status).toBe(412)
    expect((await remove()).status).toBe(204)
    expect((await get(user.id)).status).toBe(404)
    expect(await test.session(id)).not.toHaveProperty('userId')
    expect((await test.session(pending.id)).state).toBe('ended')
    expect((await remove()).status).toBe(404)
  })
})

describe('the list of users', () => {
  const names = async (query: string) =>
    (await test.done<{ results: User[] }>('GET', `/api/utilisateurs?${query}`)).results.map(
      ({ firstName }) => firstName,
    )

  it('finds every word in any field, without regard to case and accents', async () => {
    await test.createUser({ firstName: 'Élodie', lastName: 'Nuñez-Ørsted', municipality: 'Évreux' })
    for (const search of [
      'élodie',
      'ÉLODIE',
      'elodie',
      'nuñez élodie',
      'NUNEZ',
      'évreux',
      'evreux',
      'orsted',
    ])
      expect(await names(`search=${encodeURIComponent(search)}`), search).toEqual(['Élodie'])
    expect(await names(`search=${encodeURIComponent('élodie dupont')}`)).toEqual([])
  })

  it('finds ligatures by their letters and the reverse, and changed users by their new name', async () => {
    const { id } = await test.createUser({ firstName: 'Cœur', lastName: 'L’Hôte' })
    for (const search of ['coeur', 'CŒUR', "l'hote", 'L’Hôte'])
      expect(await names(`search=${encodeURIComponent(search)}`), search).toEqual(['Cœur'])
    await test.done('PUT', `/api/utilisateurs/${id}`, { firstName: 'Noël', lastName: 'Ibáñez' })
    expect(await names('search=coeur')).toEqual([])
    expect(await names('search=noel%20ibanez')).toEqual(['Noël'])
  })

  it('is sorted as in a phone book, with absent values last in both directions', async () => {
    const occupation = 'ordre'
    for (const [firstName, lastName, municipality] of [
      ['Z', 'Zola', 'Aix'],
      ['E', 'Éluard', undefined],
      ['D', 'dumas', 'Brest'],
    ])
      await test.createUser({ firstName, lastName, occupation, municipality })
    expect(await names('occupation=ordre')).toEqual(['D', 'E', 'Z'])
    expect(await names('occupation=ordre&ordering=-lastName')).toEqual(['Z', 'E', 'D'])
    expect(await names('occupation=ordre&ordering=municipality')).toEqual(['Z', 'D', 'E'])
    expect(await names('occupation=ordre&ordering=-municipality')).toEqual(['D', 'Z', 'E'])
  })

  it('filters by column', async () => {
    await test.createUser({ firstName: 'Sans', consentGiven: false, occupation: 'sans accord' })
    expect(await names('occupation=sans%20accord&consentGiven=false')).toEqual(['Sans'])
    expect(await names('occupation=sans%20accord&consentGiven=true')).toEqual([])
  })

  it('filters users with a session that has not ended', async () => {
    const user = await test.createUser({ occupation: 'en salle' })
    await test.createUser({ occupation: 'en salle' })
    const found = async (hasOpenSession: boolean) =>
      (await names(`occupation=en%20salle&hasOpenSession=${hasOpenSession}`)).length
    expect([await found(true), await found(false)]).toEqual([0, 2])
    const { id } = await test.createSession({ userId: user.id })
    expect([await found(true), await found(false)]).toEqual([1, 1])
    await test.done('POST', `/api/sessions/${id}/terminate/`)
    expect([await found(true), await found(false)]).toEqual([0, 2])
  })

  it('has correct counts', async () => {
    const before = await test.done<Record<string, number>>('GET', '/api/utilisateurs/stats/')
    const { id } = await test.createUser()
    await test.createUser({ consentGiven: false })
    await test.createSession({ userId: id })
    const after = await test.done<Record<string, number>>('GET', '/api/utilisateurs/stats/')
    const grown = Object.fromEntries(
      Object.entries(after).map(([name, n]) => [name, n - (before[name] ?? 0)]),
    )
    expect(grown).toEqual({ total: 2, withConsent: 1, createdToday: 2, withSessionToday: 1 })
  })
})
