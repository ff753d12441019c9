import type { CanCreateSession, Session, SettingsAnswer } from '@escale/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../../testing/app.ts'

let test: TestApp

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const get = () => test.done<SettingsAnswer>('GET', '/api/parametres/')

describe('settings', () => {
  it('have working defaults, and the answer can be sent back', async () => {
    const before = await get()
    expect(before).toMatchObject({ sessionsPerDay: 3, timeZone: 'Europe/Paris', isConsentRequired: true })
    const { jobs: _jobs, ...same } = await test.done<SettingsAnswer>('PUT', '/api/parametres/', before)
    expect(before).toMatchObject(same)
  })

  it('apply at once, are sent to the stations, and survive a restart', async () => {
    const { id } = await test.createStation()
    const { secret } = await test.enrol(id)
    const { client, messages } = await test.mqtt(id, secret)
    await client.subscribeAsync('escale/v1/config', { qos: 1 })
    await messages.next('config')
    const values = {
      ...(await get()),
      sessionsPerDay: 1,
      siteName: 'Médiathèque',
      timeZone: 'America/Martinique',
      isConsentRequired: false,
      areWarningsHeard: true,
    }
    await test.done('PUT', '/api/parametres/', values)
    const config = await messages.next(
      'config',
      ({ branding }) => (branding as { siteName: string }).siteName !== 'Escale',
    )
    expect(config.payload['branding']).toEqual({ siteName: 'Médiathèque' })
    expect(config.payload).toMatchObject({
      timeZone: 'America/Martinique',
      language: 'fr',
      areWarningsHeard: true,
    })

    const user = await test.createUser({ consentGiven: false })
    await test.createSession({ userId: user.id })
    await test.restart()
    const can = await test.done<CanCreateSession>('GET', `/api/utilisateurs/${user.id}/can_create_session/`)
    expect(can).toEqual({ allowed: false, reasons: ['quota-reached'], sessionsToday: 1, quota: 1 })
    const [entry] = (await test.journal('action=settings.updated')).slice(-1)
    expect(entry?.['details']).toEqual({
      changed: ['siteName', 'timeZone', 'sessionsPerDay', 'isConsentRequired', 'areWarningsHeard'],
    })
  })

  it('are all refused when one is invalid', async () => {
    const before = await get()
    const refused = async (change: object) =>
      (await test.call('PUT', '/api/parametres/', { body: { ...before, ...change } })).body
    expect(await refused({ timeZone: 'Europe/Atlantis' })).toMatchObject({
      errors: [{ pointer: '/timeZone' }],
    })
    expect(await refused({ sessionsPerDay: 0 })).toMatchObject({ code: 'invalid-body' })
    expect(await refused({ openingHours: { week: [] } })).toMatchObject({ code: 'invalid-body' })
    const night = [{ opens: '18:00', closes: '02:00' }]
    const week = [night, [{ opens: '01:00', closes: '12:00' }], [], [], [], [], []]
    expect(await refused({ openingHours: { week, exceptions: [] } })).toMatchObject({
      errors: [
        { pointer: '/openingHours/week/1/0/opens', message: expect.stringContaining('minuit') as string },
      ],
    })
    expect(await refused({ couleur: 'bleu' })).toMatchObject({ code: 'unknown-field' })
    expect(await get()).toEqual(before)
  })

  it('can be changed only by admins', async () => {
    const token = await test.tokenOf('operator')
    expect((await test.call('PUT', '/api/parametres/', { body: await get(), token })).status).toBe(403)
    expect((await test.call('GET', '/api/parametres/', { token })).status).toBe(200)
  })
})

describe('closing time', () => {
  const HOUR_MS = 3_600_000
  /** Opening hours: every day, except for the hour that begins `aheadMs` from now. */
  async function closeIn(aheadMs: number): Promise<string> {
    const minute = Math.ceil((test.clock.nowMs() + aheadMs) / 60_000) * 60_000
    const time = (unixMs: number) => new Date(unixMs).toISOString().slice(11, 16)
    const [closes, opens] = [time(minute), time(minute + HOUR_MS)]
    const spans =
      closes < opens
        ? [
            { opens: '00:00', closes },
            { opens, closes: '24:00' },
          ]
        : [{ opens, closes }]
    const openingHours = { week: Array.from({ length: 7 }, () => spans), exceptions: [] }
    const values = { ...(await get()), timeZone: 'UTC', isConsentRequired: false, openingHours }
    await test.done('PUT', '/api/parametres/', values)
    return new Date(minute).toISOString()
  }

  it('ends a session; this is announced on the station, and the removed time is logged', async () => {
    const closesAt = await closeIn(10 * 60_000)
    const { id: stationId } = await test.createStation()
    const { secret } = await test.enrol(stationId)
    const { client, messages } = await test.mqtt(stationId, secret)
    await client.subscribeAsync(`escale/v1/stations/${stationId}/desired`, { qos: 1 })
    const { id, accessCode } = await test.createSession({ stationId, minutes: 60 })
    const body = { code: accessCode, stationId }
    expect(await test.done('POST', '/api/sessions/validate_code/', body)).toMatchObject({ closesAt })

    const started = await test.done<Session>('POST', `/api/sessions/${id}/start/`)
    expect(Date.parse(started.endsAt!)).toBeLessThanOrEqual(Date.parse(closesAt))
    expect(Date.parse(started.endsAt!)).toBeGreaterThan(Date.parse(closesAt) - 1_000)
    const { payload } = await messages.next('desired', ({ state }) => state === 'active')
    expect(payload['session']).toMatchObject({ closesAt })
    const [cut] = await test.journal(`sessionId=${id}&action=session.time_added`)
    expect(cut?.['details']).toMatchObject({ reason: 'closing' })

    const granted = await test.done<Session>('POST', `/api/sessions/${id}/add_time/`, { minutes: 30 })
    expect(Date.parse(granted.endsAt!)).toBeLessThanOrEqual(Date.parse(closesAt))
    await test.done('POST', `/api/sessions/${id}/terminate/`)
  })

  it('does not end a session if the operator allows it', async () => {
    await closeIn(10 * 60_000)
    const { id: stationId } = await test.createStation()
    const { id } = await test.createSession({ stationId, minutes: 60, mayOutliveClosing: true })
    const started = await test.done<Session>('POST', `/api/sessions/${id}/start/`)
    expect(started.remainingSeconds).toBeGreaterThan(3_590)
  })

  it('prevents a start when the site is closed', async () => {
    await closeIn(-60_000)
    const { id: stationId } = await test.createStation()
    const { id } = await test.createSession({ stationId })
    expect((await test.call('POST', `/api/sessions/${id}/start/`)).body).toMatchObject({
      status: 409,
      code: 'site-closed',
    })
  })
})
