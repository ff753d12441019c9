import { topicOf } from '@escale/protocol'
import { generate, type Packet } from 'mqtt-packet'
import type { Identity } from '../support/station-client.ts'

const MOST_EDITS = 4
const MOST_EXTRA_BYTES = 20
/** Most of the bytes that matter are at the start of a packet. */
const EDITED_BYTES = 80

/** A station's login, and valid packets of every kind that a client may send. */
export function originals({ stationId, mqttSecret }: Identity): { login: Uint8Array; packets: Uint8Array[] } {
  const login = generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    keepalive: 60,
    clientId: stationId,
    username: stationId,
    password: Buffer.from(mqttSecret),
  })
  const publish = (
    name: 'ack' | 'events' | 'request' | 'heartbeat',
    payload: object,
    qos: 0 | 1 | 2,
  ): Packet => ({
    cmd: 'publish',
    topic: topicOf(name, stationId),
    payload: JSON.stringify(payload),
    qos,
    retain: false,
    dup: false,
    ...(qos > 0 && { messageId: 1 + qos }),
  })
  const at = '2026-01-01T08:00:00.000Z'
  const packets: Packet[] = [
    publish('ack', { id: 'c1', status: 'applied', at }, 1),
    publish('events', { bootId: 'b', seq: 1, at, kind: 'cleaned', details: {} }, 2),
    publish('request', { id: 'r', op: 'time', params: {} }, 1),
    publish('heartbeat', { bootId: 'b', seq: 1, state: 'locked' }, 0),
    { cmd: 'pubrel', messageId: 3 },
    { cmd: 'puback', messageId: 3 },
    { cmd: 'subscribe', messageId: 4, subscriptions: [{ topic: topicOf('desired', stationId), qos: 1 }] },
    { cmd: 'unsubscribe', messageId: 5, unsubscriptions: [topicOf('desired', stationId)] },
    { cmd: 'pingreq' },
    { cmd: 'disconnect' },
  ]
  return { login, packets: [login, ...packets.map((packet) => generate(packet))] }
}

/** One of the packets with a few bytes changed, and sometimes with extra bytes at the end. */
export function mutate(packets: readonly Uint8Array[], chance: () => number): Uint8Array {
  const upTo = (most: number) => Math.floor(chance() * (most + 1))
  const original = packets[upTo(packets.length - 1)] ?? new Uint8Array()
  const tail = Array.from({ length: chance() < 0.3 ? upTo(MOST_EXTRA_BYTES) : 0 }, () => upTo(255))
  const bytes = Uint8Array.from([...original, ...tail])
  for (let edits = upTo(MOST_EDITS); edits > 0; edits -= 1)
    bytes[upTo(Math.min(EDITED_BYTES, bytes.length - 1))] = upTo(255)
  return bytes
}
