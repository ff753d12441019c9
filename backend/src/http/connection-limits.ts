import type { Server, Socket } from 'node:net'
import {
  createDeadlines,
  createLogThrottle,
  createPlaces,
  maxOpenFiles,
  placesForUnknown,
  watchNewSockets,
} from '@escale/broker'
import { addressGroupOf } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000
/** Shares of the files that this process may open: for all connections of HTTP, and for those of one address. */
const SHARE = 1 / 2
const SHARE_PER_ADDRESS = 1 / 4

/** To be called with each server of HTTP before it listens. */
export type LimitConnections = (server: Server, isSecure: boolean) => void

export interface ConnectionLimitOptions {
  /** How many files and sockets the process may have open; by default as the system says. */
  openFiles?: number
  handshakeTimeoutMs?: number
}

/**
 * Keeps connections that ask nothing from taking the places of others. Until its first request has arrived, nobody
 * knows whose a connection is; all of these together leave room for the broker and for files.
 */
export function createConnectionLimits(
  clock: Clock,
  log: Logger,
  { openFiles = maxOpenFiles(), handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS }: ConnectionLimitOptions = {},
): LimitConnections {
  const throttle = createLogThrottle(() => clock.nowMs())
  const deadline = createDeadlines(clock)
  const tell = (address: string, reason: string) => {
    const heldBack = throttle(`${address} ${reason}`)
    if (heldBack !== undefined) log.warn({ address, reason, heldBack }, 'http connection closed')
  }
  const places = createPlaces(placesForUnknown(openFiles), (address) =>
    tell(address, 'too many connections without a request'),
  )
  const limits = {
    perGroup: Math.floor(openFiles * SHARE_PER_ADDRESS),
    total: Math.floor(openFiles * SHARE),
  }
  const all = createPlaces(limits, (address) => tell(address, 'too many connections'))

  return (server, isSecure) => {
    const waiting = new WeakMap<object, () => void>()
    server.on('connection', (socket: Socket) => {
      const leave = all.take(addressGroupOf(socket.remoteAddress ?? ''), () => socket.destroy())
      if (leave) socket.once('close', leave)
      else socket.destroy()
    })
    watchNewSockets(server, isSecure, {
      ...{ places, deadline, handshakeTimeoutMs },
      accept: (socket, leavePlace) => void waiting.set(socket, leavePlace),
      failed: (ip, err) => tell(ip, err.message),
    })
    const asked = ({ socket }: { socket: object }) => waiting.get(socket)?.()
    server.on('request', asked)
    server.on('upgrade', asked)
  }
}
