import type { CanCreateSession, SettingsAnswer } from '@escale/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../../testing.ts'

let test: TestApp

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const get = () => test.done<SettingsAnswer>('GET', '/api/parametres/')

describe('settings', () => {
  it('have defaults that work, and may be sent back as they came', async () => {
    const before = await get()
    expect(before).toMatchObject({ sessionsPerDay: 3, timeZone: 'Europe/Paris', isConsentRequired: true })
    const { jobs: _jobs, ...same } = await test.done<SettingsAnswer>('PUT', '/api/parametres/', before)
    expect(before).toMatchObject(same)
  })

  it('are in force at once, told to the stations, and outlive a restart', async () => {
    const { id } = await test.createStation()
    const { secret } = await test.enrol(id)
    const { client, messages } = await test.mqtt(id, secret)
    await client.subscribeAsync('escale/v1/config', { qos: 1 })
    await messages.next('config')
    const values = { ...(await get()), sessionsPerDay: 1, siteName: 'Médiathèque', isConsentRequired: false }
    await test.done('PUT', '/api/parametres/', values)
    const config = await messages.next(
      'config',
      ({ branding }) => (branding as { siteName: string }).siteName !== 'Escale',
    )
    expect(config.payload['branding']).toEqual({ siteName: 'Médiathèque' })

    const user = await test.createUser({ consentGiven: false })
    await test.createSession({ userId: user.id })
    await test.restart()
    const can = await test.done<CanCreateSession>('GET', `/api/utilisateurs/${user.id}/can_create_session/`)
    expect(can).toEqual({ allowed: false, reasons: ['quota-reached'], sessionsToday: 1, quota: 1 })
    const [entry] = (await test.journal('action=settings.updated')).slice(-1)
    expect(entry?.['details']).toEqual({ changed: ['siteName', 'sessionsPerDay', 'isConsentRequired'] })
  })

  it('are refused whole when one does not fit', async () => {
    const before = await get()
    const refused = async (change: object) =>
      (await test.call('PUT', '/api/parametres/', { body: { ...before, ...change } })).body
    expect(await refused({ timeZone: 'Europe/Atlantis' })).toMatchObject({
      errors: [{ pointer: '/timeZone' }],
    })
    expect(await refused({ sessionsPerDay: 0 })).toMatchObject({ code: 'invalid-body' })
    expect(await refused({ openingHours: { week: [] } })).toMatchObject({ code: 'invalid-body' })
    expect(await refused({ couleur: 'bleu' })).toMatchObject({ code: 'unknown-field' })
    expect(await get()).toEqual(before)
  })

  it('are for admins to change', async () => {
    const token = await test.tokenOf('operator')
    expect((await test.call('PUT', '/api/parametres/', { body: await get(), token })).status).toBe(403)
    expect((await test.call('GET', '/api/parametres/', { token })).status).toBe(200)
  })
})
