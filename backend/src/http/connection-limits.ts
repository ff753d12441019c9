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
/** Shares of the files that this process may open: for all HTTP connections, and for those of one address. */
const SHARE = 1 / 2
const SHARE_PER_ADDRESS = 1 / 4

/** Call it with each HTTP server before it listens. */
export type LimitConnections = (server: Server, isSecure: boolean) => void

export interface ConnectionLimitOptions {
  /** How many files and sockets the process may have open; by default the limit of the operating system. */
  openFiles?: number
  handshakeTimeoutMs?: number
}

/**
 * Limits HTTP connections, so that idle connections cannot use up all sockets. Connections without a request yet have
 * a limit of their own. All limits together leave sockets for the broker and for files.
 */
export function createConnectionLimits(
  clock: Clock,
  log: Logger,
  { openFiles = maxOpenFiles(), handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS }: ConnectionLimitOptions = {},
): LimitConnections {
  const throttle = createLogThrottle(() => clock.nowMs())
  const deadline = createDeadlines(clock)
  const logClosed = (address: string, reason: string) => {
    const heldBack = throttle(`${address} ${reason}`)
    if (heldBack !== undefined) log.warn({ address, reason, heldBack }, 'http connection closed')
  }
  const places = createPlaces(placesForUnknown(openFiles), (address) =>
    logClosed(address, 'too many connections without a request'),
  )
  const limits = {
    perGroup: Math.floor(openFiles * SHARE_PER_ADDRESS),
    total: Math.floor(openFiles * SHARE),
  }
  const all = createPlaces(limits, (address) => logClosed(address, 'too many connections'))

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
      failed: (ip, err) => logClosed(ip, err.message),
    })
    const asked = ({ socket }: { socket: object }) => waiting.get(socket)?.()
    server.on('request', asked)
    server.on('upgrade', asked)
  }
}
