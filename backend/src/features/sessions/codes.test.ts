import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Problem, Session, ValidatedCode } from '@escale/protocol'
import { typedForms } from '@escale/protocol/typed-codes'
import { startTestApp, type TestApp } from '../../testing/app.ts'

const MINUTE = 60_000
let test: TestApp
let address = 0
/** An address without earlier attempts. */
const freshIp = () => `198.51.${Math.floor((address += 1) / 250)}.${(address % 250) + 1}`

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const validate = (body: object, ip = freshIp()) =>
  test.call<ValidatedCode & Problem>('POST', '/api/sessions/validate_code/', { body, ip })

/** A station with its own credentials, as it calls from its own address. */
async function ownStation(fields: object = {}) {
  const { id } = await test.createStation(undefined, fields)
  const { basic } = await test.enrol(id)
  const ip = freshIp()
  const call = <T = Record<string, unknown>>(method: string, url: string, body?: object, from = ip) =>
    test.call<T & Problem>(method, url, { body, headers: basic, ip: from })
  return { id, call }
}

describe('a typed code', () => {
  it.each(typedForms)('opens its session %s, and can be validated again', async (_, typed) => {
    const user = await test.createUser({ firstName: 'Ambroise' })
    const { id, accessCode } = await test.createSession({ userId: user.id })
    const answer = await validate({ code: typed(accessCode) })
    expect(answer).toMatchObject({
      status: 200,
      body: { sessionId: id, displayName: 'Ambroise', grantedSeconds: 1_800 },
    })
    expect((await test.session(id)).state).toBe('pending')
  })

  it('gets the same refusal when it is unknown, expired, used or not a code', async () => {
    const { id: stationId } = await test.createStation()
    const used = await test.createSession({ stationId })
    await test.done('POST', `/api/sessions/${used.id}/start`)
    const expired = await test.createSession()
    test.advanceClock(24 * 60 * MINUTE + 1)
    const answers = []
    for (const code of ['AAAA-AAAA', expired.accessCode, used.accessCode, '’ OR 1=1', '--- ---'])
      answers.push(await validate({ code }))
    for (const { status, body } of answers) {
      expect(status).toBe(404)
      expect(body).toEqual(answers[0]?.body)
      expect(body.code).toBe('code-refused')
    }
  })

  it('is refused at the wrong station with the name of the right one, and not counted as a wrong code', async () => {
    const right = await test.createStation(undefined, { label: 'Salle 2' })
    const wrong = await test.createStation()
    const { accessCode } = await test.createSession({ stationId: right.id })
    for (let i = 0; i < 8; i += 1) {
      const answer = await validate({ code: accessCode, stationId: wrong.id })
      expect(answer).toMatchObject({ status: 409, body: { code: 'wrong-station' } })
      expect(answer.body.detail).toContain('Salle 2')
    }
    expect((await validate({ code: accessCode, stationId: right.id })).status).toBe(200)
  })
})

describe('guessing', () => {
  it('is blocked per station, also for a right code and after a restart', async () => {
    const { id: stationId } = await test.createStation()
    const { accessCode } = await test.createSession()
    for (let i = 0; i < 5; i += 1) expect((await validate({ code: 'AAAA-AAAA', stationId })).status).toBe(404)
    const blocked = await validate({ code: accessCode, stationId })
    expect(blocked).toMatchObject({
      status: 429,
      body: { code: 'code-throttled' },
      headers: { 'retry-after': '30' },
    })
    await test.restart()
    expect((await validate({ code: accessCode, stationId })).status).toBe(429)
    // Other stations are not blocked.
    expect((await validate({ code: accessCode })).status).toBe(200)

    for (const seconds of [30, 60, 120, 240, 480, 900, 900]) {
      test.advanceClock(seconds * 1_000)
      expect((await validate({ code: 'AAAA-AAAA', stationId })).status).toBe(404)
      const next = Math.min(900, seconds * 2)
      const { headers } = await validate({ code: 'AAAA-AAAA', stationId })
      expect(headers['retry-after']).toBe(String(next))
    }
    test.advanceClock(900_000)
    expect((await validate({ code: accessCode, stationId })).status).toBe(200)
  })

  it('is blocked per address after thirty attempts, at any stations', async () => {
    const ip = freshIp()
    const { accessCode } = await test.createSession()
    for (let i = 0; i < 30; i += 1) {
      const { id: stationId } = i % 4 === 0 ? await test.createStation() : { id: undefined }
      expect((await validate({ code: 'AAAA-AAAA', stationId }, ip)).status, String(i)).toBe(404)
    }
    expect((await validate({ code: accessCode }, ip)).status).toBe(429)
  })

  it('is blocked for ten thousand codes at fifty stations, before and after a restart', async () => {
    const stations = await Promise.all(Array.from({ length: 50 }, () => test.createStation()))
    const guess = ({ id: stationId }: { id: string }) => validate({ code: 'AAAA-AAAA', stationId }, freshIp())
    const judged = async (rounds: number) => {
      let count = 0
      for (let round = 0; round < rounds; round += 1) {
        for (const { status } of await Promise.all(stations.map(guess))) if (status !== 429) count += 1
      }
      return count
    }
    expect(await judged(100)).toBe(50 * 5)
    await test.restart()
    expect(await judged(99)).toBe(0)
    test.advanceClock(30_000)
    expect(await judged(1)).toBe(50)
  }, 120_000)

  it('allows only the free attempts, however many arrive at the same time', async () => {
    const { id: stationId } = await test.createStation()
    const guesses = Array.from({ length: 40 }, () => validate({ code: 'AAAA-AAAA', stationId }))
    const statuses = (await Promise.all(guesses)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 404)).toHaveLength(5)
    expect(statuses.filter((status) => status === 429)).toHaveLength(35)
  })

  it('blocks what comes after it in the same moment, and harms nothing that came before it', async () => {
    const { id: stationId } = await test.createStation()
    const { accessCode: right } = await test.createSession()
    const wrong = 'AAAA-AAAA'
    const typed = [wrong, wrong, wrong, right, wrong, wrong, right, wrong]
    const answers = await Promise.all(typed.map((code) => validate({ code, stationId })))
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 200, 404, 404, 429, 429])
    // Another station is not concerned.
    expect((await validate({ code: right })).status).toBe(200)
  })

  it('is logged with the station and the address, but without the typed code', async () => {
    const { id: stationId } = await test.createStation()
    await validate({ code: 'QQQQ-QQQQ', stationId }, '198.51.100.77')
    const [log] = await test.journal(`action=code.rejected&stationId=${stationId}`)
    expect(log).toMatchObject({ level: 'warning', ip: '198.51.100.77', stationId })
    expect(JSON.stringify(log) + JSON.stringify(test.lines)).not.toContain('QQQQ')
  })
})

describe('a station with its own credentials', () => {
  it('validates, starts and reads the time of its own session', async () => {
    const station = await ownStation()
    const { id, accessCode } = await test.createSession()
    const code = { code: accessCode, stationId: 'another' }
    expect((await station.call('POST', '/api/sessions/validate_code', code)).status).toBe(200)
    const started = await station.call<Session>('POST', `/api/sessions/${id}/start`, { stationId: 'another' })
    expect(started).toMatchObject({ status: 200, body: { state: 'active', stationId: station.id } })
    const time = await station.call('GET', `/api/sessions/${id}/time_remaining`)
    expect(time).toMatchObject({ status: 200, body: { sessionId: id, remainingSeconds: 1_800 } })
    const [, log] = await test.journal(`sessionId=${id}`)
    expect(log).toMatchObject({ action: 'session.started', actor: { type: 'station', id: station.id } })
  })

  it('may not start a session that it did not validate in the last two minutes', async () => {
    const station = await ownStation()
    const other = await ownStation()
    const { id, accessCode } = await test.createSession()
    const refused = { status: 409, body: { code: 'code-not-validated' } }
    expect(await station.call('POST', `/api/sessions/${id}/start`)).toMatchObject(refused)
    await other.call('POST', '/api/sessions/validate_code', { code: accessCode })
    expect(await station.call('POST', `/api/sessions/${id}/start`)).toMatchObject(refused)
    test.advanceClock(2 * MINUTE + 1)
    expect(await other.call('POST', `/api/sessions/${id}/start`)).toMatchObject(refused)
    await other.call('POST', '/api/sessions/validate_code', { code: accessCode })
    test.advanceClock(2 * MINUTE)
    expect((await other.call('POST', `/api/sessions/${id}/start`)).status).toBe(200)
  })

  it('cannot read a session of another station', async () => {
    const station = await ownStation()
    const { id } = await test.startSession()
    expect((await station.call('GET', `/api/sessions/${id}/time_remaining`)).status).toBe(404)
  })

  it('may use its four endpoints and no others', async () => {
    const station = await ownStation()
    const { id } = await test.startSession()
    const calls = [
      ['GET', '/api/postes'],
      ['GET', `/api/postes/${station.id}`],
      ['PUT', `/api/postes/${station.id}`],
      ['POST', `/api/postes/${station.id}/marquer_disponible`],
      ['GET', '/api/sessions'],
      ['GET', `/api/sessions/${id}`],
      ['POST', '/api/sessions'],
      ['POST', `/api/sessions/${id}/add_time`],
      ['POST', `/api/sessions/${id}/terminate`],
      ['GET', '/api/utilisateurs'],
      ['GET', '/api/logs'],
      ['GET', '/api/postes/demandes'],
    ] as const
    for (const [method, url] of calls)
      expect(await station.call(method, url), url).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  })

  it('can send only its own heartbeat', async () => {
    const station = await ownStation()
    const other = await test.createStation()
    const own = await station.call('POST', `/api/postes/${station.id}/heartbeat/`, { cpuPercent: 5 })
    expect(own).toMatchObject({ status: 200, body: { id: station.id, online: true } })
    expect((await station.call('POST', `/api/postes/${other.id}/heartbeat/`)).status).toBe(403)
    expect((await test.station(other.id)).online).toBe(false)
  })

  it('must call from its address if one is set', async () => {
    const station = await ownStation()
    const { label, macAddress } = await test.station(station.id)
    await test.done('PUT', `/api/postes/${station.id}`, {
      label,
      macAddress,
      ipAddress: '::ffff:203.0.113.5',
    })
    const beat = (ip: string) => station.call('POST', `/api/postes/${station.id}/heartbeat`, {}, ip)
    expect(await beat('203.0.113.6')).toMatchObject({ status: 403, body: { code: 'wrong-address' } })
    expect((await beat('203.0.113.5')).status).toBe(200)
    expect((await beat('::ffff:203.0.113.5')).status).toBe(200)
  })

  it('is not authenticated with a wrong secret', async () => {
    const { id } = await test.createStation()
    for (const credentials of [`${id}:wrong`, `${id}:`, id, ':', 'nobody:x']) {
      const headers = { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
      const answer = await test.call('POST', '/api/sessions/validate_code', { body: { code: 'A' }, headers })
      expect(answer.status).toBe(401)
    }
  })
})
