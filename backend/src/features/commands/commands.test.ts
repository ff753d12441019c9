import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SentCommands, StationCommand } from '@escale/protocol'
import { startTestApp, useFakeTime, type TestApp } from '../../testing/app.ts'
import { broadcastTargets, createWaker } from './wake.ts'

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })

const SECOND = 1_000
const BOOT = 'boot-1'
let test: TestApp

const send = async (stationId: string, body: object): Promise<string> =>
  (await test.done<SentCommands>('POST', `/api/postes/${stationId}/commands/`, body)).commands[0]!.id
const read = (id: string) => test.done<StationCommand>('GET', `/api/postes/commands/${id}/`)

/** A station on the bus that sends no acknowledgement by itself. */
async function connected(stationId: string, secret: string, topics = ['desired', 'command']) {
  const { client, messages } = await test.mqtt(stationId, secret)
  const topic = (kind: string) => `escale/v1/stations/${stationId}/${kind}`
  const say = (kind: string, payload: object) =>
    client.publishAsync(topic(kind), JSON.stringify(payload), { qos: 1 })
  await say('presence', {
    ...{ online: true, cause: 'birth', bootId: BOOT, agentVersion: '1', hostname: stationId },
    ...{ os: 'Debian', ipAddress: '192.0.2.1', macAddress: '02:00:00:00:00:01' },
  })
  await client.subscribeAsync(topics.map(topic), { qos: 1 })
  const ack = (id: string, status: string, error?: string) =>
    say('ack', { id, status, error, at: new Date(0).toISOString() })
  return { id: stationId, secret, client, messages, say, ack }
}

async function newStation() {
  const { id } = await test.createStation()
  const { secret } = await test.enrol(id)
  return connected(id, secret)
}

describe('a command', () => {
  beforeAll(async () => {
    test = await startTestApp()
  })
  afterAll(() => test.stop())

  it('is sent to the station, and each answer is stored with its instant and published to live screens and automations', async () => {
    const station = await newStation()
    const live = await test.live()
    await live.next('connection_established')
    const watcher = await test.mqtt('operator', await test.tokenOf('viewer'), { clientId: 'operator:w' })
    await watcher.client.subscribeAsync('escale/v1/events/#', { qos: 1 })

    const params = { text: 'Bonjour', level: 'info' }
    const id = await send(station.id, { op: 'message', params })
    const { payload } = await station.messages.next('/command')
    const sentAt = (await read(id)).sentAt
    expect(payload).toEqual({
      ...{ id, op: 'message', params },
      expiresAt: new Date(Date.parse(sentAt) + 60 * SECOND).toISOString(),
    })
    await watcher.messages.next('events/command.sent')

    test.advanceClock(20)
    await station.ack(id, 'delivered')
    test.advanceClock(5)
    await station.ack(id, 'applied')
    const at = (ms: number) => new Date(Date.parse(sentAt) + ms).toISOString()
    expect(await read(id)).toMatchObject({ status: 'applied', deliveredAt: at(20), appliedAt: at(25) })
    for (const status of ['sent', 'delivered', 'applied'])
      await live.next('command_changed', ({ command }) => (command as StationCommand).status === status)
    const told = await watcher.messages.next('events/command.applied')
    expect(told.payload).toMatchObject({ stationId: station.id, details: { commandId: id, afterMs: 25 } })
    const log = await test.journal(`stationId=${station.id}`)
    expect(log.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['command.sent', 'command.applied']),
    )
    expect(JSON.stringify(log)).not.toContain('Bonjour')
  })

  it('keeps its first result: repeated and late answers, and those of other stations, change nothing', async () => {
    const station = await newStation()
    const other = await newStation()
    const id = await send(station.id, { op: 'identify' })
    await other.ack(id, 'applied')
    expect((await read(id)).status).toBe('sent')
    await station.ack(id, 'failed', 'no screen')
    await station.ack(id, 'applied')
    await station.ack(id, 'failed', 'again')
    await station.ack('unknown', 'applied')
    expect(await read(id)).toMatchObject({ status: 'failed', error: 'no screen' })
    expect(await test.journal(`action=command.failed&stationId=${station.id}`)).toHaveLength(1)
  })

  it('contains the boot id of the agent that may carry out a reboot', async () => {
    const station = await newStation()
    await send(station.id, { op: 'reboot', params: { delaySeconds: 10 } })
    const { payload } = await station.messages.next('/command')
    expect(payload).toMatchObject({ op: 'reboot', bootId: BOOT, params: { delaySeconds: 10 } })
  })

  it('waits for an offline station, and is sent once when it connects in time', async () => {
    const { id: stationId } = await test.createStation()
    const { secret } = await test.enrol(stationId)
    const [late, intime] = [
      await send(stationId, { op: 'identify', expiresInSeconds: 5 }),
      await send(stationId, { op: 'identify', expiresInSeconds: 60 }),
    ]
    test.advanceClock(10 * SECOND)
    const station = await connected(stationId, secret, ['command'])
    expect((await station.messages.next('/command')).payload['id']).toBe(intime)
    await station.ack(intime, 'applied')
    await station.client.endAsync()
    const again = await connected(stationId, secret, ['command'])
    const next = await send(stationId, { op: 'identify' })
    expect((await again.messages.next('/command')).payload['id']).toBe(next)
    expect(late).not.toBe(next)
  })

  it('lock suspends and logout terminates: the document is sent first, and stays even without an answer', async () => {
    const station = await newStation()
    const { id: sessionId } = await test.createSession({ stationId: station.id })
    await test.done('POST', `/api/sessions/${sessionId}/start`)
    const order: string[] = []
    station.client.on('message', (topic, payload) => {
      const { state, op } = JSON.parse(payload.toString()) as { state?: string; op?: string }
      order.push(`${topic.split('/').at(-1)} ${state ?? op}`)
    })
    const commandId = await send(station.id, { op: 'lock' })
    await station.messages.next('/command')
    expect((await test.session(sessionId)).state).toBe('suspended')
    await send(station.id, { op: 'logout' })
    await station.messages.next('/command', ({ op }) => op === 'logout')
    expect(await test.session(sessionId)).toMatchObject({ state: 'ended', endReason: 'terminated' })
    expect(order.filter((told) => told !== 'desired active')).toEqual([
      'desired suspended',
      'command lock',
      'desired locked',
      'command logout',
    ])
    const [suspended] = await test.journal(`action=session.suspended&sessionId=${sessionId}`)
    expect(suspended).toMatchObject({ details: { commandId } })
  })

  it('is sent to a location, a list or all stations with one batch id', async () => {
    const location = 'Étage'
    const stations = [
      await test.createStation('e-1', { location }),
      await test.createStation('e-2', { location }),
    ]
    const order = (body: object) =>
      test.done<SentCommands>('POST', '/api/postes/commands/', { op: 'identify', ...body })
    const { commands } = await order({ location })
    expect(commands.map(({ stationId }) => stationId)).toEqual(stations.map(({ id }) => id))
    const { batchId } = await read(commands[0]!.id)
    const page = await test.done<{ count: number }>('GET', `/api/postes/commands/?batchId=${batchId}`)
    expect(page.count).toBe(2)
    expect((await order({ stationIds: ['e-2'] })).commands).toMatchObject([{ stationId: 'e-2' }])
    expect((await order({ all: true })).commands.length).toBeGreaterThan(2)
  })

  it.each([
    ['no target', { op: 'identify' }, 'invalid-body', ''],
    ['two targets', { op: 'identify', all: true, location: 'A' }, 'invalid-body', ''],
    [
      'an unknown station',
      { op: 'identify', stationIds: ['e-1', 'nobody'] },
      'invalid-body',
      '/stationIds/1',
    ],
    ['an empty location', { op: 'identify', location: 'Nulle part' }, 'invalid-body', '/location'],
    ['a message without text', { op: 'message', all: true }, 'invalid-body', '/params/text'],
    [
      'a param of another op',
      { op: 'lock', params: { text: 'x' }, all: true },
      'unknown-field',
      '/params/text',
    ],
    [
      'a delay too long',
      { op: 'reboot', params: { delaySeconds: 9_999 }, all: true },
      'invalid-body',
      '/params/delaySeconds',
    ],
    ['an op of nobody', { op: 'explode', all: true }, 'invalid-body', '/op'],
  ])('with %s is refused with the place of the error', async (_, body, code, pointer) => {
    const answer = await test.call<{ code: string; errors: { pointer: string }[] }>(
      'POST',
      '/api/postes/commands/',
      { body },
    )
    expect(answer).toMatchObject({ status: 422, body: { code, errors: [{ pointer }] } })
  })

  it('update is refused because there is no updater yet, and an unknown station is not found', async () => {
    const { id } = await test.createStation()
    const params = { version: '2', url: 'https://example.org/', signature: 'x' }
    const body = { op: 'update', params }
    expect(await test.call('POST', `/api/postes/${id}/commands/`, { body })).toMatchObject({
      status: 409,
      body: { code: 'update-unavailable' },
    })
    const nobody = await test.call('POST', '/api/postes/nobody/commands/', { body: { op: 'lock' } })
    expect(nobody.status).toBe(404)
    expect((await test.call('GET', '/api/postes/commands/nothing/')).status).toBe(404)
  })

  const cancel = (stationId: string, commandId: string) =>
    test.call<SentCommands & { code: string; errors: { pointer: string }[] }>(
      'POST',
      `/api/postes/${stationId}/commands/`,
      { body: { op: 'cancel', params: { commandId } } },
    )

  it('that waits at its station is cancelled by the station, which reports it', async () => {
    const station = await newStation()
    const id = await send(station.id, { op: 'reboot', params: { delaySeconds: 60 } })
    await station.ack(id, 'delivered')
    const { status, body } = await cancel(station.id, id)
    expect(status).toBe(202)
    const { payload } = await station.messages.next('/command', ({ op }) => op === 'cancel')
    expect(payload).toMatchObject({ id: body.commands[0]!.id, op: 'cancel', params: { commandId: id } })
    expect((await read(id)).status).toBe('delivered')
    await station.ack(id, 'failed', 'cancelled')
    expect(await read(id)).toMatchObject({ status: 'failed', error: 'cancelled' })
    expect(await cancel(station.id, id)).toMatchObject({ status: 409, body: { code: 'not-cancellable' } })
  })

  it('that an offline station has not received is cancelled at once, and never sent', async () => {
    const { id: stationId } = await test.createStation()
    const { secret } = await test.enrol(stationId)
    const id = await send(stationId, { op: 'reboot', params: { delaySeconds: 60 } })
    const cancelId = (await cancel(stationId, id)).body.commands[0]!.id
    expect(await read(id)).toMatchObject({ status: 'failed', error: 'cancelled' })
    expect((await read(cancelId)).status).toBe('applied')
    const station = await connected(stationId, secret, ['command'])
    const next = await send(stationId, { op: 'identify' })
    expect((await station.messages.next('/command')).payload['id']).toBe(next)
  })

  it('cannot be cancelled if it is another station’s or cannot wait', async () => {
    const [station, other] = [await newStation(), await newStation()]
    const id = await send(other.id, { op: 'reboot', params: { delaySeconds: 60 } })
    for (const commandId of [id, 'nothing'])
      expect(await cancel(station.id, commandId)).toMatchObject({
        status: 422,
        body: { code: 'invalid-body', errors: [{ pointer: '/params/commandId' }] },
      })
    const lock = await send(station.id, { op: 'lock' })
    expect(await cancel(station.id, lock)).toMatchObject({ status: 409, body: { code: 'not-cancellable' } })
    const all = await test.call('POST', '/api/postes/commands/', {
      body: { op: 'cancel', params: { commandId: id }, all: true },
    })
    expect(all.status).toBe(422)
  })

  it('is deleted with its station', async () => {
    const { id: stationId } = await test.createStation()
    const id = await send(stationId, { op: 'identify' })
    await test.call('DELETE', `/api/postes/${stationId}/`)
    expect((await test.call('GET', `/api/postes/commands/${id}/`)).status).toBe(404)
  })
})

describe('waking', () => {
  beforeAll(async () => {
    test = await startTestApp()
  })
  afterAll(() => test.stop())

  it('sends the magic packet, and is applied when the station sends a message', async () => {
    const station = await newStation()
    const { label, macAddress } = await test.station(station.id)
    const id = await send(station.id, { op: 'wake' })
    await expect.poll(() => test.woken).toContain(macAddress)
    expect((await read(id)).status).toBe('sent')
    test.advanceClock(9 * SECOND)
    await station.say('heartbeat', {
      ...{ bootId: BOOT, seq: 1, uptimeSeconds: 1, state: 'locked' },
      ...{ cpuPercent: 1, memoryPercent: 1, diskPercent: 1 },
    })
    await expect.poll(async () => (await read(id)).status).toBe('applied')
    expect(station.messages.all.filter(({ topic }) => topic.endsWith('/command'))).toEqual([])
    await test.done('PUT', `/api/postes/${station.id}/`, { label })
    const refused = await test.call('POST', `/api/postes/${station.id}/commands/`, { body: { op: 'wake' } })
    expect(refused).toMatchObject({ status: 409, body: { code: 'mac-address-missing' } })
  })

  it('fails with a reason for a station without a MAC address, and when nothing can be sent', async () => {
    await test.createStation('sans-mac', { location: 'Fond' })
    await test.createStation('avec-mac', { location: 'Fond', macAddress: '02:00:00:00:00:77' })
    test.failWaking(new Error('network unreachable'))
    const { commands } = await test.done<SentCommands>('POST', '/api/postes/commands/', {
      op: 'wake',
      location: 'Fond',
    })
    const errorOf = async (stationId: string) => {
      const { id } = commands.find((command) => command.stationId === stationId)!
      await expect.poll(async () => (await read(id)).status).toBe('failed')
      return (await read(id)).error
    }
    expect(await errorOf('sans-mac')).toBe('mac-address-missing')
    expect(await errorOf('avec-mac')).toContain('network unreachable')
  })

  it('sends ff six times and the address sixteen times in a UDP packet', async () => {
    const ear = createSocket('udp4')
    ear.bind(0, '127.0.0.1')
    await once(ear, 'listening')
    const heard = once(ear, 'message') as Promise<[Buffer]>
    await createWaker(() => [{ address: '127.0.0.1', port: ear.address().port }])('02:0a:0b:0c:0d:0e')
    const [packet] = await heard
    expect(packet.toString('hex')).toBe('ff'.repeat(6) + '020a0b0c0d0e'.repeat(16))
    ear.close()
  })

  it('sends to the broadcast address of each network of this machine', () => {
    const base = { mac: '', cidr: null, family: 'IPv4' as const }
    const targets = broadcastTargets({
      lo: [{ ...base, address: '127.0.0.1', netmask: '255.0.0.0', internal: true }],
      lan: [{ ...base, address: '192.168.10.2', netmask: '255.255.254.0', internal: false }],
    })
    expect(targets.map(({ address }) => address)).toEqual(['255.255.255.255', '192.168.11.255'])
  })
})

describe('a command without an answer', () => {
  beforeEach(async () => {
    useFakeTime()
    test = await startTestApp({ isFollowingDate: true })
  })
  afterEach(async () => {
    await test.stop()
  })
  /** Waits until the command has expired. Fake time advances with each check. */
  const expired = (id: string) =>
    vi.waitUntil(async () => (await read(id)).status === 'expired', { timeout: 10 * SECOND })

  it('expires shortly after its deadline, so that late answers can arrive, and stays expired', async () => {
    const { id: stationId } = await test.createStation()
    const { secret } = await test.enrol(stationId)
    const live = await test.live()
    await live.next('connection_established')
    const id = await send(stationId, { op: 'identify', expiresInSeconds: 30 })
    vi.advanceTimersByTime(30 * SECOND)
    expect((await read(id)).status).toBe('sent')
    vi.advanceTimersByTime(SECOND)
    await expired(id)
    await live.next('command_changed', ({ command }) => (command as StationCommand).status === 'expired')
    const station = await connected(stationId, secret)
    await station.ack(id, 'applied')
    expect(await read(id)).toMatchObject({ status: 'expired' })
    expect(await test.journal('action=command.expired')).toMatchObject([
      { level: 'warning', actor: { type: 'system' }, details: { commandId: id } },
    ])
  })

  it('that its station has scheduled expires some time after the scheduled time', async () => {
    const station = await newStation()
    const id = await send(station.id, { op: 'reboot', params: { delaySeconds: 600 }, expiresInSeconds: 30 })
    await station.ack(id, 'delivered')
    await vi.waitUntil(async () => (await read(id)).status === 'delivered')
    vi.advanceTimersByTime(600 * SECOND)
    expect((await read(id)).status).toBe('delivered')
    vi.advanceTimersByTime(61 * SECOND)
    await expired(id)
  })

  it('expires also after a restart of the server, at once if it was due in between', async () => {
    const { id: stationId } = await test.createStation()
    const [early, later] = [
      await send(stationId, { op: 'identify', expiresInSeconds: 10 }),
      await send(stationId, { op: 'identify', expiresInSeconds: 100 }),
    ]
    await test.close()
    vi.advanceTimersByTime(50 * SECOND)
    await test.restart()
    expect([(await read(early)).status, (await read(later)).status]).toEqual(['expired', 'sent'])
    vi.advanceTimersByTime(51 * SECOND)
    await expired(later)
  })
})
