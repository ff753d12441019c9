import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestApp, type TestApp } from './app.ts'

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })

type Json = Record<string, unknown>
const golden = (name: string) =>
  JSON.parse(
    readFileSync(new URL(`../../../protocol/golden/${name}.json`, import.meta.url), 'utf8'),
  ) as Json[]

/** Names and types of all fields. `details` depend on the event. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return [...new Set(value.map(shapeOf))]
  if (typeof value !== 'object' || value === null) return typeof value
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([name, field]) => [name, name === 'details' ? {} : shapeOf(field)]))
}

/** The fields that distinguish the variants of a message. */
const variantOf = ({ type, state, ok, kind }: Json) => JSON.stringify([type, state, ok, kind])

function expectGolden(name: string, message: Json) {
  const alike = golden(name).filter((one) => variantOf(one) === variantOf(message))
  const shapes = alike.map(shapeOf)
  expect(shapes, `${name}: ${JSON.stringify(message)}`).toContainEqual(shapeOf(message))
}

let test: TestApp
beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

describe('messages of the server have the fields of the golden messages', () => {
  it('on the bus and to the screens, through a whole session', async () => {
    const user = await test.createUser()
    const { id: stationId } = await test.createStation()
    const { secret } = await test.enrol(stationId)
    const live = await test.live()
    await live.next('connection_established').then((frame) => expectGolden('live', frame))
    const watcher = await test.mqtt('operator', await test.tokenOf('admin'), { clientId: 'operator:golden' })
    await watcher.client.subscribeAsync('escale/v1/events/#', { qos: 1 })
    const { client, messages } = await test.mqtt(stationId, secret)
    const topic = (kind: string) => `escale/v1/stations/${stationId}/${kind}`
    await client.subscribeAsync([topic('desired'), topic('response'), 'escale/v1/config'], { qos: 1 })
    const said: Json[] = []
    const ask = async (op: string, params: object) => {
      await client.publishAsync(topic('request'), JSON.stringify({ id: op, op, params }), { qos: 1 })
      const { payload } = await messages.next('/response')
      said.push(payload)
    }
    const act = (id: string, action: string, body?: object) =>
      test.done('POST', `/api/sessions/${id}/${action}`, body)

    const { id: sessionId, accessCode } = await test.createSession({ userId: user.id })
    await ask('time', {})
    await ask('validate_code', { code: accessCode })
    await ask('start_session', { sessionId })
    await act(sessionId, 'add_time', { minutes: 10 })
    await ask('suspend_session', { sessionId })
    await act(sessionId, 'resume')
    live.send({ type: 'get_time', sessionId })
    live.send({ type: 'heartbeat' })
    await live.next('heartbeat').then((frame) => expectGolden('live', frame))
    await act(sessionId, 'terminate')
    await ask('call_staff', {})
    for (let i = 0; i < 6; i += 1) await ask('validate_code', { code: `AAAA-AAA${i + 2}` })
    await test.done('POST', `/api/postes/${stationId}/marquer_maintenance`)
    await messages
      .next('/desired', ({ state }) => state === 'maintenance')
      .then(({ payload }) => {
        said.push(payload)
        expectGolden('desired', payload)
      })
    expectGolden('config', (await messages.next('config')).payload)
    await live.next('log_added', (frame) => JSON.stringify(frame).includes('maintenance'))

    for (const { topic: where, payload } of messages.all) {
      if (where.endsWith('/desired')) expectGolden('desired', payload)
    }
    const responses = said.filter(({ ok }) => ok !== undefined)
    expect(responses.length).toBeGreaterThan(8)
    for (const response of responses) expectGolden('response', response)
    const shown = golden('domainEvent').map(({ kind }) => kind)
    const events = watcher.messages.all.filter(({ payload }) => payload['kind'] === 'session.started')
    expect(events).toHaveLength(1)
    expect(shown).toContain('session.started')
    for (const { payload } of events) expectGolden('domainEvent', payload)

    // Their optional fields depend on the station or the event, so only the schema is checked.
    const open = ['log_added', 'station_changed']
    const frames = live.frames.filter(({ type }) => !open.includes(type))
    const types = new Set(frames.map(({ type }) => type))
    expect(types).toEqual(
      new Set(['time_update', 'session_started', 'time_added', 'session_terminated', 'call_changed']),
    )
    for (const frame of frames) {
      if (frame['state'] !== 'pending') expectGolden('live', frame)
    }
  })
})
