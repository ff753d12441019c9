import type { Client } from 'aedes'
import type { Deadlines } from './deadlines.ts'

/** Largest packet before and after the login, bytes. */
export const MAX_PACKET_BEFORE_LOGIN_BYTES = 4 * 1024
export const MAX_PACKET_BYTES = 256 * 1024
/** Largest SUBSCRIBE and UNSUBSCRIBE. A filter costs much more than the same bytes of a payload. */
const MAX_FILTERS_BYTES = 32 * 1024
/** An acknowledgement contains only a packet id. Ping and DISCONNECT packets are empty. */
const MAX_ACKNOWLEDGEMENT_BYTES = 2
/** While this many packets of a connection are being processed, no more are read. */
const MAX_PACKETS_AT_ONCE = 32
/** How long a packet may take from its first to its last byte, milliseconds. */
const PACKET_TIMEOUT_MS = 30_000
/** Maximum number of chunks of a packet. Each chunk costs as much memory as a hundred bytes. */
const MAX_PIECES = 64

/** The parts of Aedes and mqtt-packet that this file uses beyond their published types. Both versions are pinned. */
interface GuardedClient {
  connackSent: boolean
  _paused?: boolean
  _parsingBatch: number
  _nextBatch(err?: Error | null): void
  _parser: {
    packet: { cmd: string; length: number }
    _list: {
      _bufs: unknown[]
      length: number
      slice(): Buffer
      consume(bytes: number): void
      append(buffer: Buffer): void
    }
    _stateCounter: number
    on(event: 'packet', listener: () => void): void
    _parseLength(): boolean
    parse(chunk: Buffer): number
  }
}

/**
 * Protects other connections from this one. The connection is closed when a packet announces more than its limit (the
 * parser would buffer up to 256 MB), when a packet arrives too slowly, or when processing its bytes throws an
 * exception. No more packets are read than can be processed.
 */
export function guardConnection(client: Client, deadline: Deadlines): void {
  const internals = client as unknown as GuardedClient
  limitPackets(client, internals)
  parseOneByOne(client, internals)
  readAsHandled(client, internals)
  expectWholePackets(client, internals, deadline)
}

function limitOf(cmd: string, isLoggedIn: boolean): number {
  if (!isLoggedIn) return MAX_PACKET_BEFORE_LOGIN_BYTES
  if (cmd === 'publish') return MAX_PACKET_BYTES
  if (cmd === 'subscribe' || cmd === 'unsubscribe') return MAX_FILTERS_BYTES
  return cmd === 'connect' ? MAX_PACKET_BEFORE_LOGIN_BYTES : MAX_ACKNOWLEDGEMENT_BYTES
}

function limitPackets(client: Client, internals: GuardedClient): void {
  const { _parser: parser } = internals
  const parseLength = parser._parseLength.bind(parser)
  parser._parseLength = () => {
    if (!parseLength()) return false
    if (parser.packet.length <= limitOf(parser.packet.cmd, internals.connackSent)) return true
    client.emit('error', new Error('packet too large'))
    return false
  }
}

/**
 * Aedes continues to read while it processes a packet synchronously. The parser is not reentrant and would return its
 * current packet twice.
 */
function parseOneByOne(client: Client, { _parser: parser }: GuardedClient): void {
  const parse = parser.parse.bind(parser)
  const arrivedMeanwhile: Buffer[] = []
  let isParsing = false
  parser.parse = (chunk) => {
    arrivedMeanwhile.push(chunk)
    if (isParsing) return 0
    isParsing = true
    try {
      for (let next = arrivedMeanwhile.shift(); next; next = arrivedMeanwhile.shift()) parse(next)
      const { _list: list } = parser
      if (list._bufs.length > MAX_PIECES) {
        const whole = list.slice()
        list.consume(list.length)
        list.append(whole)
      }
    } catch (err) {
      client.emit('error', err)
    } finally {
      isParsing = false
    }
    return 0
  }
}

/**
 * Stops reading while many packets of the connection are being processed. Otherwise packets that wait, for example for
 * a full disk, would fill the memory. Aedes counts them but continues to read.
 */
function readAsHandled(client: Client, internals: GuardedClient): void {
  const { conn } = client
  const read = () => {
    if (internals._paused === true || internals._parsingBatch >= MAX_PACKETS_AT_ONCE) return
    const chunk = conn.read() as Buffer | null
    if (chunk) internals._parser.parse(chunk)
  }
  conn.off('readable', internals._nextBatch)
  conn.on('readable', read)
  internals._parsingBatch = 0
  internals._nextBatch = (err) => {
    if (err) {
      client.emit('error', err)
      return
    }
    internals._parsingBatch = Math.max(0, internals._parsingBatch - 1)
    read()
  }
}

function expectWholePackets(client: Client, { _parser: parser }: GuardedClient, deadline: Deadlines): void {
  const late = () => client.emit('error', new Error('packet did not arrive in time'))
  let rest: ReturnType<Deadlines> | undefined
  const stop = () => {
    rest?.stop()
    rest = undefined
  }
  const parse = parser.parse.bind(parser)
  parser.on('packet', stop)
  parser.parse = (chunk) => {
    const left = parse(chunk)
    const isBegun = parser._list.length > 0 || parser._stateCounter > 0
    if (isBegun && !client.closed) rest ??= deadline(PACKET_TIMEOUT_MS, late)
    else stop()
    return left
  }
  client.conn.once('close', stop)
}
