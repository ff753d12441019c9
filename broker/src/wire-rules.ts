import { isUtf8 } from 'node:buffer'
import type { Client } from 'aedes'
import { busy, CONNACK, refusal, type Refusal } from './refusal.ts'

/** The parts of mqtt-packet's parser that this file uses beyond its published types. It is pinned with Aedes. */
interface ParserInternals {
  packet: ParsedPacket
  /** The parser's position in the packet's body. */
  _pos: number
  _list: { slice(from: number, to: number): Uint8Array; readUInt8(at: number): number; length: number }
  error: Error | null
  _emitError(error: Error): void
  _parseString(): string | null
  _parseConnect(): unknown
  _parsePayload(): boolean
}

interface ParsedPacket {
  cmd: string
  length: number
  messageId?: number | null
  subscriptions?: unknown[]
  unsubscriptions?: unknown[]
  will?: { qos: number }
}

/** Maximum number of filters of one packet and of one client. Each costs time when it is added and removed. */
export const MAX_FILTERS = 500

const PROTOCOL_NAME = 'MQTT'
/** The protocol name of MQTT up to 3.1. */
const FORMER_PROTOCOL_NAME = 'MQIsdp'
const PROTOCOL_LEVEL = 4

const SENT_BY_SERVERS = new Set(['connack', 'suback', 'unsuback', 'pingresp'])

/**
 * Closes a connection for packets that MQTT 3.1.1 forbids and mqtt-packet accepts, before Aedes sees them. Malformed
 * packets get no answer [MQTT-4.8.0-1], except an unknown protocol level [MQTT-3.1.2-2].
 * @param mayLogIn takes a place for a login; without one the client must come back later
 */
export function enforceWireRules(client: Client, mayLogIn: () => boolean): void {
  const { _parser: parser } = client as unknown as { _parser: ParserInternals }
  const parseString = parser._parseString.bind(parser)
  const parseConnect = parser._parseConnect.bind(parser)
  const parsePayload = parser._parsePayload.bind(parser)

  parser._parseString = () => {
    const from = parser._pos + 2
    const text = parseString()
    return text === null || isWellFormed(text, () => parser._list.slice(from, parser._pos)) ? text : null
  }

  parser._parseConnect = () => {
    const reason = refusalOf()
    if (!reason) return parseConnect()
    // The answer is sent before the rest of the CONNECT is read.
    client.conn.write(Buffer.from([0x20, 2, 0, reason.returnCode ?? CONNACK.notAuthorized]))
    parser._emitError(reason)
    return undefined
  }

  function refusalOf(): Refusal | undefined {
    if (!isSpoken(parser)) return refusal('protocol is not MQTT 3.1.1', {}, CONNACK.unacceptableProtocol)
    const isFirst = !client.connecting && !client.connected
    return isFirst && !mayLogIn() ? busy() : undefined
  }

  parser._parsePayload = () => {
    if (!parsePayload()) return false
    const fault = parser.error ? undefined : faultOf(parser.packet, parser._pos)
    if (fault !== undefined) parser._emitError(new Error(fault))
    return true
  }
}

/** [MQTT-1.5.3-1], [MQTT-1.5.3-2]. Decoding puts U+FFFD in place of invalid bytes. */
function isWellFormed(text: string, bytesOf: () => Uint8Array): boolean {
  return !text.includes('\0') && (!text.includes('\uFFFD') || isUtf8(bytesOf()))
}

/** Whether a CONNECT has a supported protocol. The parser refuses one without a known name. */
function isSpoken(parser: ParserInternals): boolean {
  const name = parser._parseString()
  const level = parser._pos < parser._list.length ? parser._list.readUInt8(parser._pos) : PROTOCOL_LEVEL
  parser._pos = 0
  if (name === PROTOCOL_NAME) return level === PROTOCOL_LEVEL
  return name !== FORMER_PROTOCOL_NAME
}

/** What is wrong with a parsed packet, whose fields took `readBytes` of its body. */
function faultOf(packet: ParsedPacket, readBytes: number): string | undefined {
  const { cmd, length, messageId, subscriptions, unsubscriptions, will } = packet
  if (SENT_BY_SERVERS.has(cmd)) return `${cmd} from a client`
  // The payload of a PUBLISH is the rest of its body. No other packet has a rest.
  if (cmd === 'publish' ? readBytes > length : readBytes !== length) return `${cmd} of a wrong length`
  if (typeof messageId === 'number' && messageId <= 0) return `${cmd} without a packet id`
  if (subscriptions?.length === 0 || unsubscriptions?.length === 0) return `${cmd} without a topic filter`
  if ((subscriptions ?? unsubscriptions ?? []).length > MAX_FILTERS) return `${cmd} of too many topic filters`
  if (will && will.qos > 2) return 'will with a QoS of 3'
  return undefined
}
