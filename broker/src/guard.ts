import type { Client } from 'aedes'

/** Largest packet before and after the login, bytes. */
export const MAX_PACKET_BEFORE_LOGIN_BYTES = 4 * 1024
export const MAX_PACKET_BYTES = 256 * 1024

/** What this file needs of Aedes and mqtt-packet beyond their published types; both are pinned. */
interface GuardedClient {
  connackSent: boolean
  _parser: {
    packet: { length: number }
    _parseLength(): boolean
    parse(chunk: Buffer): number
  }
}

/**
 * Keeps one connection from harming the others: a packet that announces more than its limit closes the connection
 * before it is collected (the parser itself would gather up to 256 MB), and an exception while its bytes are handled
 * closes it too instead of ending the process.
 */
export function guardConnection(client: Client): void {
  const internals = client as unknown as GuardedClient
  const parser = internals._parser
  const parseLength = parser._parseLength.bind(parser)
  const parse = parser.parse.bind(parser)

  parser._parseLength = () => {
    if (!parseLength()) return false
    const limit = internals.connackSent ? MAX_PACKET_BYTES : MAX_PACKET_BEFORE_LOGIN_BYTES
    if (parser.packet.length <= limit) return true
    client.emit('error', new Error('packet too large'))
    return false
  }

  // Aedes reads on from inside the handling of a packet when that handling is synchronous; the parser is not
  // reentrant and would take its current packet twice.
  const arrivedMeanwhile: Buffer[] = []
  let isParsing = false
  parser.parse = (chunk) => {
    arrivedMeanwhile.push(chunk)
    if (isParsing) return 0
    isParsing = true
    try {
      for (let next = arrivedMeanwhile.shift(); next; next = arrivedMeanwhile.shift()) parse(next)
    } catch (err) {
      client.emit('error', err)
    } finally {
      isParsing = false
    }
    return 0
  }
}
