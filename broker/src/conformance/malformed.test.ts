import { afterEach, beforeEach, expect, test } from 'vitest'
import { frame, openRoom, own, samples, type Room } from '../testing.ts'

let room: Room
beforeEach(async () => {
  room = await openRoom()
})
afterEach(() => room.broker.close())

const bytesOf = (...bytes: number[]) => Buffer.from([0, bytes.length, ...bytes])
const ack = Buffer.from(JSON.stringify(samples.ack))
const topic = own('ack')
/** Ill-formed UTF-8: a stray byte, a surrogate, an overlong slash, a code point beyond the last. */
const ILL_FORMED = [
  ['a stray byte', [0x65, 0xff, 0x65]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['a code point beyond the last', [0xf5, 0x80, 0x80, 0x80]],
] as const

/** Packets that a client must not send. */
const malformed: [string, Uint8Array][] = [
  ['a PUBLISH with QoS 3 [MQTT-3.3.1-4]', frame(0x36, topic, 0, 1, ack)],
  ['a QoS 1 PUBLISH with packet id 0 [MQTT-2.3.1-1]', frame(0x32, topic, 0, 0, ack)],
  ['a QoS 1 PUBLISH without a packet id [MQTT-2.3.1-1]', frame(0x32, topic)],
  ['a QoS 1 PUBLISH with half a packet id [MQTT-2.3.1-1]', frame(0x32, topic, 1)],
  ['a PUBLISH with an empty topic [MQTT-4.7.3-1]', frame(0x30, '', ack)],
  ['a PUBLISH to a wildcard [MQTT-3.3.2-2]', frame(0x30, 'escale/v1/stations/+/ack', ack)],
  ['a PUBLISH to everything [MQTT-3.3.2-2]', frame(0x30, 'escale/v1/#', ack)],
  ['a topic longer than its packet', frame(0x30, 0, 200, Buffer.from(topic))],
  ['a SUBSCRIBE with packet id 0 [MQTT-2.3.1-1]', frame(0x82, 0, 0, own('command'), 1)],
  ['an UNSUBSCRIBE with packet id 0 [MQTT-2.3.1-1]', frame(0xa2, 0, 0, own('command'))],
  ['a filter longer than its packet', frame(0x82, 0, 1, 0, 200, Buffer.from(own('command')), 1)],
  ['a PUBACK of packet id 0', frame(0x40, 0, 0)],
  ['a PUBACK without a packet id', frame(0x40)],
  ['a PUBREL with more than a packet id', frame(0x62, 0, 1, 0)],
  ['a PINGREQ with a body', frame(0xc0, 0)],
  ['a DISCONNECT with a body', frame(0xe0, 0)],
  ['a length of five bytes [MQTT-2.2.3, non-normative]', Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff, 0x7f)],
  ['the reserved type 0', frame(0x00)],
  ['the reserved type 15, AUTH in MQTT 5', frame(0xf0, 0, 0)],
  ['a packet that only a server sends: CONNACK', frame(0x20, 0, 0)],
  ['a packet that only a server sends: SUBACK', frame(0x90, 0, 1, 0)],
  ['a packet that only a server sends: UNSUBACK', frame(0xb0, 0, 1)],
  ['a packet that only a server sends: PINGRESP', frame(0xd0)],
  ...(
    [
      ['PUBACK', 0x41, [0, 1]],
      ['PUBREC', 0x52, [0, 1]],
      ['PUBREL', 0x60, [0, 1]],
      ['PUBCOMP', 0x74, [0, 1]],
      ['SUBSCRIBE', 0x80, [0, 1, own('command'), 1]],
      ['UNSUBSCRIBE', 0xa0, [0, 1, own('command')]],
      ['PINGREQ', 0xc8, []],
      ['DISCONNECT', 0xe4, []],
    ] as const
  ).map(([name, first, parts]): [string, Uint8Array] => [
    `reserved flags of ${name} [MQTT-2.2.2-1, MQTT-2.2.2-2]`,
    frame(first, ...parts),
  ]),
  ...ILL_FORMED.flatMap(([name, bytes]): [string, Uint8Array][] => [
    [`${name} in the topic of a PUBLISH [MQTT-1.5.3-1]`, frame(0x30, bytesOf(...bytes), ack)],
    [`${name} in a filter [MQTT-1.5.3-1]`, frame(0x82, 0, 1, bytesOf(...bytes), 0)],
    [`${name} in a filter to unsubscribe [MQTT-1.5.3-1]`, frame(0xa2, 0, 1, bytesOf(...bytes))],
  ]),
  ['NUL in the topic of a PUBLISH [MQTT-1.5.3-2]', frame(0x30, `${topic}\0`, ack)],
  ['NUL in a filter to unsubscribe [MQTT-1.5.3-2]', frame(0xa2, 0, 1, 'a\0')],
]

test.each(malformed)('%s closes only its own connection [MQTT-4.8.0-1]', async (_, bytes) => {
  const station = await room.login('pc-01')
  const other = await room.login('pc-02')
  // A valid packet follows. Its bytes must not be read as the missing ones.
  station.write(Buffer.concat([bytes, frame(0x32, topic, 0, 9, ack), frame(0xc0)]))
  await station.closed
  expect(await station.next('puback', 'suback', 'unsuback', 'pubcomp', 'pingresp')).toBeUndefined()
  expect(room.received).toEqual([])
  expect(await other.settled()).toBe(true)
})

test.each(ILL_FORMED)('%s in a CONNECT closes the connection [MQTT-1.5.3-1]', async (_, bytes) => {
  const text = bytesOf(...bytes)
  const fields = [
    [text, 'pc-01', 'secret'],
    ['pc-01', text, 'secret'],
  ]
  for (const identity of fields) {
    const client = room.attach()
    client.write(frame(0x10, 'MQTT', 4, 0xc2, 0, 60, ...identity))
    await client.closed
    expect(await client.next('connack')).toBeUndefined()
  }
  const withWill = room.attach()
  withWill.write(frame(0x10, 'MQTT', 4, 0xc6, 0, 60, 'pc-01', text, 'gone', 'pc-01', 'secret'))
  await withWill.closed
  expect(await withWill.next('connack')).toBeUndefined()
})

test('a password is bytes, not text [MQTT-3.1.3.5, non-normative]', async () => {
  const client = room.attach()
  client.write(frame(0x10, 'MQTT', 4, 0xc2, 0, 60, 'pc-01', 'pc-01', bytesOf(0xff, 0)))
  expect(await client.next('connack')).toMatchObject({ returnCode: 4 })
})

test('NUL in a client id closes the connection [MQTT-1.5.3-2]', async () => {
  const client = room.attach()
  client.write(frame(0x10, 'MQTT', 4, 0xc2, 0, 60, 'pc-01\0', 'pc-01', 'secret'))
  await client.closed
  expect(await client.next('connack')).toBeUndefined()
})

test('a CONNECT with more than its fields closes the connection', async () => {
  const client = room.attach()
  client.write(frame(0x10, 'MQTT', 4, 0xc2, 0, 60, 'pc-01', 'pc-01', 'secret', 'more'))
  await client.closed
  expect(await client.next('connack')).toBeUndefined()
})

test('a length in more bytes than necessary is accepted [MQTT-2.2.3, non-normative]', async () => {
  const station = await room.login('pc-01')
  station.write(Uint8Array.of(0xc0, 0x80, 0x80, 0x00))
  expect(await station.next('pingresp')).toBeDefined()
})
