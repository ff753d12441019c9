import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { BrokerPorts, Received, Verdict } from './ports.ts'
import { openRoom, own, samples, type RawClient, type Room } from './testing.ts'

let room: Room
afterEach(() => room.broker.close())

const event = (seq: number) => ({ ...samples.events, seq })
const seqOf = (message: Received) => (message.name === 'events' ? message.payload.seq : -1)
const retained = { retain: true }

/** The retained message that a new subscriber gets. */
async function retainedOn(topic: string): Promise<RawClient['messages']> {
  const diagnostics = await room.login('diag')
  await diagnostics.subscribe(topic)
  for (let turn = 0; turn < 20; turn++) await nextTurn()
  await diagnostics.settled()
  diagnostics.send({ cmd: 'disconnect' })
  await diagnostics.closed
  return diagnostics.messages
}

test('messages of one station are processed in order, one at a time, also from two connections', async () => {
  const order: string[] = []
  let running = 0
  room = await openRoom({
    async receive(message) {
      expect(++running).toBe(1)
      const seq = seqOf(message)
      for (let turn = 0; turn < (5 - seq) * 3; turn++) await nextTurn()
      order.push(`${message.principal?.id}/${seq}`)
      running -= 1
      return 'drop' as const
    },
  })
  const one = await room.login('pc-01')
  const two = await room.login('pc-01', { clientId: 'pc-01:b' })
  const sent = [1, 2, 3].map((seq) => one.publish(own('events'), event(seq)))
  sent.push(two.publish(own('events'), event(4)))
  expect(await Promise.all(sent)).toEqual([true, true, true, true])
  expect(order.filter((entry) => entry !== 'pc-01/4')).toEqual(['pc-01/1', 'pc-01/2', 'pc-01/3'])
  expect(order).toHaveLength(4)
})

test('a station whose message is being processed does not delay others', async () => {
  const gate = Promise.withResolvers<Verdict>()
  room = await openRoom({ receive: ({ party }) => (party === 'pc-01' ? gate.promise : 'drop') })
  const slow = (await room.login('pc-01')).publish(own('events'), event(1))
  expect(await (await room.login('pc-02')).publish(own('events', 'pc-02'), event(1))).toBe(true)
  gate.resolve('drop')
  expect(await slow).toBe(true)
})

test('a message is acknowledged only after it was processed', async () => {
  const gate = Promise.withResolvers<Verdict>()
  let isTaken = false
  room = await openRoom({ receive: () => gate.promise })
  const station = await room.login('pc-01')
  const publish = station.publish(own('ack'), samples.ack).then(() => isTaken)
  for (let turn = 0; turn < 20; turn++) await nextTurn()
  isTaken = true
  gate.resolve('route')
  expect(await publish).toBe(true)
})

test.each<[string, string | object]>([
  ['a text that is not JSON', '{'],
  ['an empty payload, which would clear the retained document,', ''],
  ['a missing field', { ...samples.presence, bootId: undefined }],
  ['a wrong type', { ...samples.presence, online: 'yes' }],
  ['JSON of another shape', '[]'],
  [
    'half of a surrogate pair',
    '{"hostname":"\\ud800",' + JSON.stringify(samples.presence).slice(1).replace('"hostname":"pc-01",', ''),
  ],
  ['half of a surrogate pair in an unknown field', { ...samples.presence, more: ['\udc00'] }],
  ['half of a surrogate pair in a name', { ...samples.presence, '\ud83d': 1 }],
  [
    'nesting without end',
    `{"more":${'['.repeat(5_000)}${']'.repeat(5_000)},${JSON.stringify(samples.presence).slice(1)}`,
  ],
])('%s is acknowledged, dropped and counted', async (_, payload) => {
  room = await openRoom()
  const station = await room.login('pc-01')
  await station.publish(own('presence'), samples.presence, retained)
  expect(await station.publish(own('presence'), payload, retained)).toBe(true)
  expect(room.received).toHaveLength(1)
  expect(room.broker.stats().dropped).toBe(1)
  const kept = await retainedOn(own('presence'))
  expect(kept.map((message) => JSON.parse(message.payload) as object)).toEqual([samples.presence])
})

test('bytes that are not UTF-8 are refused by the schema, and not decoded by guessing', async () => {
  room = await openRoom()
  const station = await room.login('pc-01')
  const [head = '', tail = ''] = JSON.stringify({ ...samples.ack, error: '#' }).split('#')
  const latin1 = Buffer.concat([Buffer.from(`${head}Ren`), Buffer.of(0xe9), Buffer.from(tail)])
  const cutShort = Buffer.concat([Buffer.from(head), Buffer.of(0xe2, 0x82), Buffer.from(tail)])
  const surrogate = Buffer.concat([Buffer.from(head), Buffer.of(0xed, 0xa0, 0x80), Buffer.from(tail)])
  const packet = { cmd: 'publish', topic: own('ack'), qos: 1, retain: false, dup: false } as const
  for (const [index, payload] of [latin1, cutShort, surrogate].entries()) {
    station.send({ ...packet, messageId: index + 1, payload })
    expect(await station.next('puback')).toMatchObject({ messageId: index + 1 })
  }
  expect(await station.publish(own('ack'), { ...samples.ack, error: 'Ren\u00e9 \ud83d\ude00' })).toBe(true)
  expect(room.received).toMatchObject([{ payload: { error: 'Ren\u00e9 \ud83d\ude00' } }])
  expect(room.broker.stats().dropped).toBe(3)
})

test('payloads outside their schema are logged once a minute per client, also across reconnections', async () => {
  let now = 1_000_000
  room = await openRoom({ nowMs: () => now })
  const complaints = () => room.lines.filter(({ msg }) => msg === 'payload outside its schema')
  for (let round = 0; round < 3; round++) {
    const station = await room.login('pc-01')
    await station.publish(own('ack'), 'garbage')
    await station.publish(own('events'), 'garbage')
  }
  expect(complaints()).toHaveLength(1)
  now += 60_000
  await (await room.login('pc-01')).publish(own('ack'), 'garbage')
  expect(complaints().at(-1)).toMatchObject({ clientId: 'pc-01', heldBack: 5 })
})

test('unknown fields are ignored', async () => {
  room = await openRoom()
  const station = await room.login('pc-01')
  await station.publish(own('ack'), { ...samples.ack, later: true })
  expect(room.received).toHaveLength(1)
})

test('a message that the server drops is acknowledged, but not routed or retained', async () => {
  room = await openRoom({ receive: () => 'drop' })
  const watcher = await room.login('diag')
  await watcher.subscribe('escale/v1/#', '$SYS/#')
  const station = await room.login('pc-01')
  expect(await station.publish(own('presence'), samples.presence, retained)).toBe(true)
  await room.broker.publish('desired', 'pc-01', {
    version: 1,
    state: 'locked',
    sentAt: '2026-01-01T08:00:00Z',
  })
  await expect.poll(() => watcher.messages.map(({ topic }) => topic)).toContain(own('desired'))
  expect(watcher.messages.map(({ topic }) => topic)).not.toContain(own('presence'))
  expect(JSON.stringify(watcher.messages.filter(({ topic }) => !topic.startsWith('$SYS')))).not.toContain(
    'bootId',
  )
  expect(await retainedOn(own('presence'))).toEqual([])
})

test.each<[string, BrokerPorts['receive']]>([
  [
    'throws',
    () => {
      throw new Error('broken')
    },
  ],
  ['rejects', () => Promise.reject(new Error('broken'))],
])('when the port %s, the message is dropped and the next one is processed', async (_, receive) => {
  room = await openRoom({ receive })
  const station = await room.login('pc-01')
  expect(await station.publish(own('ack'), samples.ack)).toBe(true)
  expect(await station.publish(own('ack'), samples.ack)).toBe(true)
  expect(room.broker.stats().dropped).toBe(2)
  expect(room.lines.filter(({ msg }) => msg === 'message not taken')).toHaveLength(2)
})

describe('a message that cannot be stored now', () => {
  class FullDisk extends Error {}
  /** Fails this many times for each event, then accepts it. */
  const failing = (times: number): Partial<BrokerPorts> & { taken: number[] } => {
    const attempts = new Map<number, number>()
    const taken: number[] = []
    return {
      taken,
      isTemporary: (err) => err instanceof FullDisk,
      receive(message) {
        const seq = seqOf(message)
        const before = attempts.get(seq) ?? 0
        attempts.set(seq, before + 1)
        if (before < times) return Promise.reject(new FullDisk())
        taken.push(seq)
        return Promise.resolve('route')
      },
    }
  }

  test('is acknowledged when it is stored, in the order sent', async () => {
    const ports = failing(2)
    room = await openRoom(ports)
    const station = await room.login('pc-01')
    const sent = [1, 2, 3].map((seq) => station.publish(own('events'), event(seq)))
    expect(await Promise.all(sent)).toEqual([true, true, true])
    expect(ports.taken).toEqual([1, 2, 3])
    expect(room.broker.stats().dropped).toBe(0)
    expect(room.lines.filter(({ level }) => Number(level) >= 50)).toHaveLength(1)
  })

  test('closes the connection without an acknowledgement, and is accepted when it is sent again', async () => {
    const ports = failing(1)
    room = await openRoom(ports, { holdMs: 0 })
    const station = await room.login('pc-01')
    const sent = [1, 2].map((seq) => station.publish(own('events'), event(seq)))
    expect(await Promise.all(sent)).toEqual([false, false])
    await station.closed
    const again = await room.login('pc-01')
    expect(await again.publish(own('events'), event(1))).toBe(true)
    expect(ports.taken).toEqual([1])
  })

  test('does not delay other stations or a stop of the server', async () => {
    room = await openRoom({
      isTemporary: () => true,
      receive: ({ party }) => (party === 'pc-01' ? Promise.reject(new FullDisk()) : 'route'),
    })
    const station = await room.login('pc-01')
    const sent = station.publish(own('events'), event(1))
    expect(await (await room.login('pc-02')).publish(own('events', 'pc-02'), event(1))).toBe(true)
    await room.broker.close()
    expect(await sent).toBe(false)
  })

  test('is dropped without waiting if its topic needs no acknowledgement', async () => {
    room = await openRoom({
      isTemporary: () => true,
      receive: ({ name }) => (name === 'heartbeat' ? Promise.reject(new FullDisk()) : 'route'),
    })
    const station = await room.login('pc-01')
    for (let sent = 0; sent < 3; sent++) await station.publish(own('heartbeat'), samples.heartbeat)
    expect(room.broker.stats().dropped).toBe(3)
    expect(room.lines.filter(({ level }) => Number(level) >= 50)).toHaveLength(1)
  })
})

test('a message that always fails is acknowledged once, and logged without codes', async () => {
  room = await openRoom({ isTemporary: () => false, receive: () => Promise.reject(new Error('broken')) })
  const station = await room.login('pc-01')
  const secret = { id: 'r1', op: 'validate_code', params: { code: 'ABCD2345' } }
  expect(await station.publish(own('events'), event(7))).toBe(true)
  expect(await station.publish(own('request'), secret)).toBe(true)
  const lost = room.lines.filter(({ msg }) => msg === 'message not taken')
  expect(lost).toMatchObject([
    { level: 50, party: 'pc-01', name: 'events', lost: JSON.stringify(event(7)) },
    { level: 50, party: 'pc-01', name: 'request' },
  ])
  expect(JSON.stringify(room.lines)).not.toContain('ABCD2345')
})

test('the topic table decides what is retained, not the client', async () => {
  room = await openRoom()
  const station = await room.login('pc-01')
  await station.publish(own('heartbeat'), samples.heartbeat, retained)
  await station.publish(own('reported'), samples.reported, { retain: false })
  await station.settled()
  const kept = await retainedOn('escale/v1/#')
  expect(kept.map(({ topic }) => topic)).toEqual([own('reported')])
})

test('the topic table decides the QoS of delivery, not the client', async () => {
  room = await openRoom()
  const watcher = await room.login('diag')
  await watcher.subscribe(own('ack'), own('heartbeat'), own('events'))
  const station = await room.login('pc-01')
  const packet = { cmd: 'publish', retain: false, dup: false } as const
  station.send({ ...packet, qos: 0, topic: own('ack'), payload: JSON.stringify(samples.ack) })
  await station.publish(own('heartbeat'), samples.heartbeat)
  station.send({
    ...packet,
    qos: 2,
    messageId: 77,
    topic: own('events'),
    payload: JSON.stringify(samples.events),
  })
  expect(await station.next('pubrec')).toMatchObject({ messageId: 77 })
  station.send({ cmd: 'pubrel', messageId: 77 })
  expect(await station.next('pubcomp')).toMatchObject({ messageId: 77 })
  await expect.poll(() => watcher.messages).toHaveLength(3)
  expect(Object.fromEntries(watcher.messages.map(({ topic, qos }) => [topic, qos]))).toEqual({
    [own('ack')]: 1,
    [own('heartbeat')]: 0,
    [own('events')]: 1,
  })
})

test('a station that subscribes to `desired` gets a newly built document', async () => {
  room = await openRoom({
    beforeDesired: (stationId) =>
      room.broker.publish('desired', stationId, {
        version: 2,
        state: 'locked',
        sentAt: '2026-01-01T08:00:00Z',
      }),
  })
  await room.broker.publish('desired', 'pc-01', {
    version: 1,
    state: 'active',
    sentAt: '2026-01-01T07:00:00Z',
  })
  const station = await room.login('pc-01')
  expect(await station.subscribe(own('desired'), own('response'))).toBe(true)
  await expect.poll(() => station.messages).toHaveLength(1)
  expect(JSON.parse(station.messages[0]!.payload)).toMatchObject({ version: 2 })
})

test('a station whose document cannot be built gets no SUBACK', async () => {
  room = await openRoom({ beforeDesired: () => Promise.reject(new Error('no database')) })
  expect(await (await room.login('pc-01')).subscribe(own('desired'))).toBe(false)
  expect(await (await room.login('pc-02')).subscribe(own('config', 'pc-02'))).toBe(true)
})

test('a station that subscribes to its commands gets those that wait for it', async () => {
  const asked: string[] = []
  room = await openRoom({
    listening: (stationId) => {
      asked.push(stationId)
      return room.broker.publish('command', stationId, {
        id: 'c',
        op: 'identify',
        params: {},
        expiresAt: '2026-01-01T08:00:00Z',
      })
    },
  })
  const station = await room.login('pc-01')
  await station.subscribe(own('desired'))
  expect(asked).toEqual([])
  await station.subscribe(own('command'))
  await expect.poll(() => station.messages).toHaveLength(1)
  expect(asked).toEqual(['pc-01'])
})

test('a command sent together with a document arrives after it, and neither is lost', async () => {
  room = await openRoom()
  const station = await room.login('pc-01')
  await station.subscribe(own('desired'), own('command'))
  await Promise.all([
    room.broker.publish('desired', 'pc-01', {
      version: 1,
      state: 'suspended',
      sentAt: '2026-01-01T08:00:00Z',
    }),
    room.broker.publish('command', 'pc-01', {
      id: 'c',
      op: 'lock',
      params: {},
      expiresAt: '2026-01-01T08:00:00Z',
    }),
  ])
  await expect
    .poll(() => station.messages.map(({ topic }) => topic))
    .toEqual([own('desired'), own('command')])
})

test('messages sent together to different parties all reach a client that subscribes to all', async () => {
  room = await openRoom()
  const watcher = await room.login('diag')
  await watcher.subscribe('escale/v1/#')
  const at = '2026-01-01T08:00:00Z'
  await Promise.all([
    room.broker.publish('desired', 'pc-01', { version: 1, state: 'locked', sentAt: at }),
    room.broker.publish('command', 'pc-02', { id: 'c', op: 'lock', params: {}, expiresAt: at }),
  ])
  await expect
    .poll(() => watcher.messages.map(({ topic }) => topic).toSorted())
    .toEqual([own('desired'), own('command', 'pc-02')])
})

test('the retained documents of a deleted station are removed', async () => {
  room = await openRoom()
  const station = await room.login('pc-01')
  await station.publish(own('presence'), samples.presence)
  await station.publish(own('reported'), samples.reported)
  await room.broker.publish('desired', 'pc-01', {
    version: 1,
    state: 'locked',
    sentAt: '2026-01-01T08:00:00Z',
  })
  // Aedes acknowledges before it stores.
  await expect.poll(() => retainedOn('escale/v1/stations/pc-01/+')).toHaveLength(3)
  await room.broker.clearRetained('pc-01')
  expect(await retainedOn('escale/v1/stations/pc-01/+')).toEqual([])
})

test('disconnect closes every connection of a principal at once and ignores its later messages', async () => {
  const gate = Promise.withResolvers<Verdict>()
  const taken: number[] = []
  room = await openRoom({
    receive(message) {
      taken.push(seqOf(message))
      return gate.promise
    },
  })
  const station = await room.login('pc-01')
  const beside = await room.login('pc-01', { clientId: 'pc-01:b' })
  const other = await room.login('pc-02')
  const sent = [station.publish(own('events'), event(1)), station.publish(own('events'), event(2))]
  await expect.poll(() => taken).toEqual([1])
  expect(room.broker.disconnect(({ id }) => id === 'pc-01')).toBe(2)
  await Promise.all([station.closed, beside.closed])
  gate.resolve('drop')
  expect(await Promise.all(sent)).toEqual([false, false])
  expect(taken).toEqual([1])
  expect(await other.settled()).toBe(true)
})

test('the will of a disconnected principal is processed, also after a slow message', async () => {
  const gate = Promise.withResolvers<Verdict>()
  const taken: string[] = []
  room = await openRoom({
    receive(message) {
      taken.push(message.name)
      return gate.promise
    },
  })
  const will = { topic: own('presence'), payload: JSON.stringify(samples.presence), qos: 1 as const }
  const station = await room.login('pc-01', { will })
  void station.publish(own('events'), event(1))
  await expect.poll(() => taken).toEqual(['events'])
  room.broker.disconnect(() => true)
  await station.closed
  for (let turn = 0; turn < 20; turn++) await nextTurn()
  gate.resolve('drop')
  await expect.poll(() => taken).toEqual(['events', 'presence'])
})

test('a will is delayed for a client that was lost while the server was stopped, until it can reconnect', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let missedMs = 0
  room = await openRoom({ missedSinceMs: () => missedMs })
  const will = { topic: own('presence'), payload: JSON.stringify(samples.presence), qos: 1 as const }
  const wills = () => room.received.map(({ party, isSuperseded }) => `${party} ${isSuperseded}`)
  const [back, gone] = [
    await room.login('pc-01', { will }),
    await room.login('pc-02', { will: { ...will, topic: own('presence', 'pc-02') } }),
  ]
  missedMs = 30_000
  back.cut()
  gone.cut()
  for (let turn = 0; turn < 20; turn++) await nextTurn()
  await room.login('pc-01')
  await vi.advanceTimersByTimeAsync(4_999)
  expect(wills()).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  vi.useRealTimers()
  await expect.poll(wills).toEqual(['pc-01 true', 'pc-02 false'])
})

test('closing waits for messages in progress, publishes no wills, and can be called twice', async () => {
  const gate = Promise.withResolvers<Verdict>()
  const taken: string[] = []
  let isCommitted = false
  room = await openRoom({
    async receive(message) {
      taken.push(message.name)
      const verdict = await gate.promise
      await nextTurn()
      isCommitted = true
      return verdict
    },
  })
  const will = { topic: own('presence'), payload: JSON.stringify(samples.presence), qos: 1 as const }
  const station = await room.login('pc-01', { will })
  void station.publish(own('events'), event(1))
  await expect.poll(() => taken).toEqual(['events'])
  const closing = Promise.all([room.broker.close(), room.broker.close()])
  gate.resolve('route')
  await closing
  expect(isCommitted).toBe(true)
  await station.closed
  expect(taken).toEqual(['events'])
})
