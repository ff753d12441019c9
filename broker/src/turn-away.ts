import type { Duplex } from 'node:stream'
import { CONNACK } from './refusal.ts'

const CONNACK_BUSY = Buffer.from([0x20, 2, 0, CONNACK.serverUnavailable])

/** Answers a client with CONNACK 3 (come back later) and closes its stream. */
export function turnAway(stream: Duplex): void {
  stream.on('error', () => undefined)
  stream.end(CONNACK_BUSY, () => stream.destroy())
}
