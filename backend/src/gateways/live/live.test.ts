import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Check } from 'typebox/value'
import { WebSocket } from 'ws'
import { serverFrames } from '@escale/protocol'
import type { Frame } from '../../testing/clients.ts'
import { startTestApp, useFakeTime, type TestApp } from '../../testing/app.ts'

const SECOND = 1_000
const MINUTE = 60_000

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })

let test: TestApp
beforeEach(async () => {
  useFakeTime()
  test = await startTestApp({ isFollowingDate: true })
})
afterEach(async () => {
  await test.stop()
})

/** Checks that a frame matches the contract. */
function expectKnown(frame: Frame) {
  const schema = serverFrames[frame.type as keyof typeof serverFrames]
  expect(Check(schema, frame), JSON.stringify(frame)).toBe(true)
}

describe('signing in', () => {
  it('works with a subprotocol, of which the server selects only the version', async () => {
    const live = await test.live()
    expectKnown(await live.next('connection_established'))
    expect(live.socket.protocol).toBe('escale.v1')
  })

  it('works with a first frame, and nothing is sent before', async () => {
    const live = await test.live('', { token: null })
    live.send({ type: 'heartbeat' })
    expect(await live.next('error')).toMatchObject({ code: 'unauthenticated' })
    await test.createStation()
    expect(live.frames).toEqual([])
    live.send({ type: 'authenticate', token: await test.tokenOf('viewer') })
    await live.next('connection_established')
  })

  it('closes after five seconds without a token, and at once with an invalid token', async () => {
    const silent = await test.live('', { token: null })
    vi.advanceTimersByTime(5 * SECOND - 1)
    expect(silent.socket.readyState).toBe(WebSocket.OPEN)
    vi.advanceTimersByTime(1)
    expect(await silent.closed).toBe(4401)
    const foreign = await test.live('', { token: await test.tokenOf('admin', Buffer.alloc(32, 3)) })
    expect(await foreign.closed).toBe(4401)
  })

  it('closes thirty seconds after the token’s end, unless a new token arrives', async () => {
    const [lapsing, renewing] = [await test.live(), await test.live()]
    for (const live of [lapsing, renewing]) await live.next('connection_established')
    vi.advanceTimersByTime(10 * MINUTE)
    renewing.send({ type: 'authenticate', token: await test.tokenOf('admin') })
    renewing.send({ type: 'heartbeat' })
    await renewing.next('heartbeat')
    vi.advanceTimersByTime(30 * SECOND)
    expect(await lapsing.closed).toBe(4401)
    renewing.send({ type: 'heartbeat' })
    await renewing.next('heartbeat')
    expect(renewing.frames.filter(({ type }) => type === 'connection_established')).toEqual([])
  })

  it('leaves no timer behind when the client disconnects during the check', async () => {
    const { http } = await test.listen()
    const token = await test.tokenOf('admin')
    const comeAndGo = async (times: number) => {
      for (let i = 0; i < times; i += 1) {
        const socket = new WebSocket(`ws://127.0.0.1:${http}/ws/sessions/`, ['escale.v1'])
        await once(socket, 'open')
        socket.send(JSON.stringify({ type: 'authenticate', token }))
        socket.terminate()
        await once(socket, 'close')
      }
      for (let i = 0; i < 20; i += 1) await test.call('GET', '/api/sessions/stats')
      return vi.getTimerCount()
    }
    const before = await comeAndGo(2)
    expect(await comeAndGo(6)).toBeLessThanOrEqual(before)
  })

  it('is refused for pages of another origin', async () => {
    const { http } = await test.listen()
    const status = async (origin: string) => {
      const socket = new WebSocket(`ws://127.0.0.1:${http}/ws/sessions/`, ['escale.v1'], { origin })
      socket.on('error', () => undefined)
      const answered = once(socket, 'unexpected-response').then(([, response]) => {
        socket.terminate()
        return (response as { statusCode: number }).statusCode
      })
      const opened = once(socket, 'open').then(() => {
        socket.terminate()
        return 101
      })
      return Promise.race([answered, opened])
    }
    for (const origin of ['http://evil.example', 'null', 'https://127.0.0.1', 'x'])
      expect(await status(origin), origin).toBe(403)
    expect(await status(`http://127.0.0.1:${http}`)).toBe(101)
  })
})

describe('the frames that a screen receives', () => {
  it('contain each change of a session, and its time each second', async () => {
    const live = await test.live()
    await live.next('connection_established')
    const { id, stationId } = await test.startSession({ minutes: 10 })
    const about = (type: string) => live.next(type, ({ sessionId }) => sessionId === id)
    const step = async (action: string, body?: object) =>
      test.done('POST', `/api/sessions/${id}/${action}`, body)
    const started = await about('session_started')
    expect(started).toMatchObject({ stationId, state: 'active', remainingSeconds: 600 })
    await step('add_time', { minutes: 5 })
    const added = await about('time_added')
    expect(added).toMatchObject({ addedSeconds: 300, remainingSeconds: 900 })
    live.frames.length = 0
    vi.advanceTimersByTime(SECOND)
    const time = await about('time_update')
    expect(time).toMatchObject({ remainingSeconds: 899, elapsedSeconds: 1, percentUsed: 0.1 })
    await step('suspend')
    expect(await about('time_update')).toMatchObject({ state: 'suspended' })
    live.frames.length = 0
    vi.advanceTimersByTime(SECOND)
    expect(await about('time_update')).toMatchObject({ state: 'suspended', remainingSeconds: 899 })
    await step('resume')
    await step('terminate')
    const ended = await about('session_terminated')
    expect(ended).toMatchObject({ endReason: 'terminated', state: 'ended' })
    const log = await live.next('log_added', (frame) => JSON.stringify(frame).includes('session.terminated'))
    const changed = await live.next('station_changed')
    for (const frame of [started, added, time, ended, log, changed]) expectKnown(frame)
    for (const frame of live.frames) expectKnown(frame)
    live.frames.length = 0
    await test.done('DELETE', `/api/postes/${stationId}`)
    expect(await live.next('station_removed')).toMatchObject({ stationId })
  })

  it('are only about one session if the path names one', async () => {
    const mine = await test.startSession()
    const other = await test.startSession()
    const live = await test.live(`${mine.id}/`)
    await live.next('connection_established')
    expect(await live.next('time_update')).toMatchObject({ sessionId: mine.id })
    for (const { id } of [other, mine]) await test.done('POST', `/api/sessions/${id}/terminate`)
    expect(await live.next('session_terminated')).toMatchObject({ sessionId: mine.id })
    expect(live.frames.filter(({ sessionId }) => sessionId !== mine.id)).toEqual([])
  })

  it('are none for an unknown session: the connection closes', async () => {
    expect(await (await test.live('unknown/')).closed).toBe(4404)
    expect(await (await test.live('%20no%C3%A9/')).closed).toBe(4404)
    const late = await test.live('unknown', { token: null })
    late.send({ type: 'authenticate', token: await test.tokenOf('viewer') })
    expect(await late.closed).toBe(4404)
  })
})

describe('station_changed', () => {
  it('is sent once for one change, whatever the change includes', async () => {
    const { id, stationId } = await test.startSession()
    const live = await test.live()
    await live.next('connection_established')
    await test.settled()
    vi.advanceTimersByTime(SECOND)
    live.frames.length = 0
    await test.done('POST', `/api/sessions/${id}/add_time`, { minutes: 5 })
    await live.next('time_added')
    for (let second = 0; second < 3; second += 1) {
      await test.settled()
      vi.advanceTimersByTime(SECOND)
      await live.next('time_update')
    }
    expect(live.frames.filter(({ type }) => type === 'station_changed')).toMatchObject([
      { station: { id: stationId, document: { actions: ['session.time_added'] } } },
    ])
  })
})

describe('a frame from a screen', () => {
  it('can ask for the time, validate a code, start a session and be a heartbeat', async () => {
    const user = await test.createUser({ firstName: 'Zélie' })
    const station = await test.createStation()
    const { id, accessCode } = await test.createSession({ userId: user.id })
    const live = await test.live('', { token: await test.tokenOf('operator') })
    await live.next('connection_established')
    live.send({ type: 'heartbeat' })
    expectKnown(await live.next('heartbeat'))
    live.send({ type: 'validate_code', code: accessCode, stationId: station.id })
    const validated = await live.next('code_validated')
    expect(validated).toMatchObject({ sessionId: id, displayName: 'Zélie', grantedSeconds: 1_800 })
    expectKnown(validated)
    live.send({ type: 'start_session', sessionId: id })
    expect(await live.next('error')).toMatchObject({ code: 'station-required' })
    live.send({ type: 'start_session', sessionId: id, stationId: station.id })
    await live.next('session_started')
    live.send({ type: 'get_time', sessionId: id })
    expect(await live.next('time_update')).toMatchObject({ sessionId: id, remainingSeconds: 1_800 })
    live.send({ type: 'get_time', sessionId: 'unknown' })
    expect(await live.next('error')).toMatchObject({ code: 'not-found' })
    const startedFrames = () => live.frames.filter(({ type }) => type === 'session_started').length
    expect(startedFrames(), 'sent once, although the screen also watches this session').toBe(0)
    live.send({ type: 'start_session', sessionId: id, stationId: station.id })
    expect(await live.next('session_started')).toMatchObject({ sessionId: id })
    live.send({ type: 'get_time', sessionId: id })
    await live.next('time_update')
    expect(startedFrames()).toBe(0)
  })

  it('can start a session that the screen does not watch, and is answered', async () => {
    const { id } = await test.createStation()
    const [watched, other] = [await test.createSession(), await test.createSession({ stationId: id })]
    const live = await test.live(`${watched.id}/`)
    await live.next('connection_established')
    live.send({ type: 'start_session', sessionId: other.id })
    expect(await live.next('session_started')).toMatchObject({ sessionId: other.id })
  })

  it('is refused from a viewer if it changes something', async () => {
    const { id, accessCode } = await test.createSession()
    const live = await test.live('', { token: await test.tokenOf('viewer') })
    await live.next('connection_established')
    live.send({ type: 'validate_code', code: accessCode })
    expect(await live.next('error')).toMatchObject({ code: 'forbidden' })
    live.send({ type: 'start_session', sessionId: id, stationId: 'x' })
    expect(await live.next('error')).toMatchObject({ code: 'forbidden' })
    live.send({ type: 'get_time', sessionId: id })
    await live.next('time_update')
    expect((await test.session(id)).state).toBe('pending')
  })

  it('is answered with an error if it is invalid, and the connection stays open', async () => {
    const live = await test.live('', { headers: { 'accept-language': 'en' } })
    await live.next('connection_established')
    const nonsense = [
      '',
      '{',
      'null',
      '[]',
      '"heartbeat"',
      '{"type":"dance"}',
      '{"type":"constructor"}',
      '{"type":"get_time"}',
      '{"type":"get_time","sessionId":5}',
      '{"type":"get_time","sessionId":"\\u0000"}',
      `{"type":"heartbeat","x":"${'x'.repeat(20_000)}"}`,
    ]
    for (const text of nonsense) {
      live.send(text)
      const frame = await live.next('error')
      expect(frame, text).toMatchObject({ code: 'invalid-body', message: 'The content sent does not fit.' })
    }
    live.socket.send(Buffer.from([0xff, 0xfe]))
    await live.next('error')
    live.send({ type: 'heartbeat' })
    await live.next('heartbeat')
  })

  it('closes the connection if it is too large', async () => {
    const live = await test.live()
    await live.next('connection_established')
    live.send('x'.repeat(300_000))
    expect(await live.closed).toBe(1009)
  })

  it('closes the connection if too many wait for an answer', async () => {
    const { id } = await test.startSession()
    const live = await test.live()
    await live.next('connection_established')
    for (let i = 0; i < 2_000; i += 1) live.send({ type: 'get_time', sessionId: id })
    expect(await live.closed).toBe(1008)
  })

  it('is answered in order', async () => {
    const { id } = await test.startSession()
    const live = await test.live()
    await live.next('connection_established')
    for (let i = 0; i < 10; i += 1)
      live.send(i % 2 ? { type: 'heartbeat' } : { type: 'get_time', sessionId: id })
    const kinds: string[] = []
    for (let i = 0; i < 10; i += 1) {
      await vi.waitUntil(() => live.frames.length > 0)
      const [frame] = live.frames.splice(0, 1)
      kinds.push(frame?.type ?? '')
    }
    expect(kinds).toEqual(Array.from({ length: 10 }, (_, i) => (i % 2 ? 'heartbeat' : 'time_update')))
  })

  it('gets an error, and the log a line, when the server fails', async () => {
    const { id } = await test.startSession()
    await test.done('POST', `/api/sessions/${id}/terminate`)
    const live = await test.live()
    await live.next('connection_established')
    await test.db.sequelize.query('ALTER TABLE sessions RENAME COLUMN granted_seconds TO elsewhere')
    live.send({ type: 'get_time', sessionId: id })
    expect(await live.next('error')).toMatchObject({ code: 'internal' })
    expect(test.errors()).toMatchObject([{ err: { name: 'SequelizeDatabaseError' } }])
    await test.db.sequelize.query('ALTER TABLE sessions RENAME COLUMN elsewhere TO granted_seconds')
    test.lines.length = 0
  })
})

describe('live connections', () => {
  it('are limited to 64 for an operator: more are refused with a reason until one closes', async () => {
    const token = await test.tokenOf('viewer')
    const screens = []
    for (let screen = 0; screen < 64; screen += 1) {
      const live = await test.live('', { token })
      await live.next('connection_established')
      screens.push(live)
    }
    const refused = await test.live('', { token, headers: { 'accept-language': 'en' } })
    expect(await refused.closed).toBe(4429)
    const other = await test.live('')
    await other.next('connection_established')
    screens[0]!.socket.close()
    await screens[0]!.closed
    const again = await test.live('', { token })
    await again.next('connection_established')
    for (const { socket } of [...screens, other, again]) socket.close()
    await Promise.all(screens.map(({ closed }) => closed))
  })

  it('are limited to 256 for an address, with or without a token', async () => {
    const screens = []
    for (let screen = 0; screen < 256; screen += 1) screens.push(await test.live('', { token: null }))
    const refused = await test.live('', { token: null })
    expect(await refused.closed).toBe(4429)
    for (const { socket } of screens) socket.close()
    await Promise.all(screens.map(({ closed }) => closed))
    const again = await test.live('')
    await again.next('connection_established')
  })
})
