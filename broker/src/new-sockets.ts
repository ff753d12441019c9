import type { Server, Socket } from 'node:net'
import { addressGroupOf, clientAddressOf } from '@escale/protocol'
import type { Deadlines } from './deadlines.ts'
import type { Places } from './places.ts'

export interface NewSocketPorts {
  /** Places for sockets whose client is not known yet. */
  places: Places
  deadline: Deadlines
  handshakeTimeoutMs: number
  /** @param identified call it when the client of the socket is known, or never */
  accept(socket: Socket, identified: () => void): void
  /** A socket closed without a login. */
  failed(ip: string, err: Error): void
  /** Closes a socket for which there is no place. A plain one may get the reason first. */
  turnAway?(socket: Socket): void
}

/**
 * Counts the sockets of a server from their opening, and ends TLS handshakes that take too long: Node reports these but
 * leaves the socket open.
 */
export function watchNewSockets(server: Server, isSecure: boolean, ports: NewSocketPorts): void {
  const { places, deadline, handshakeTimeoutMs, accept, failed, turnAway } = ports
  const handshakes = new Map<string, { identified: () => void; end: () => void }>()

  function beginHandshake(socket: Socket, identified: () => void) {
    const peer = peerOf(socket)
    const ip = ipOf(socket)
    const late = deadline(handshakeTimeoutMs, () => {
      failed(ip, new Error('TLS handshake took too long'))
      socket.destroy()
    })
    const end = () => {
      late.stop()
      handshakes.delete(peer)
    }
    handshakes.set(peer, { identified, end })
    socket.once('close', end)
  }

  server.on('connection', (socket: Socket) => {
    const giveUp = () => {
      if (turnAway && !isSecure) turnAway(socket)
      else socket.destroy()
    }
    const leave = places.take(addressGroupOf(ipOf(socket)), giveUp)
    if (!leave) {
      giveUp()
      return
    }
    socket.once('close', leave)
    if (isSecure) beginHandshake(socket, leave)
    else accept(socket, leave)
  })
  if (!isSecure) return

  server.on('secureConnection', (socket: Socket) => {
    const handshake = handshakes.get(peerOf(socket))
    handshake?.end()
    if (handshake) accept(socket, handshake.identified)
    else socket.destroy()
  })
  server.on('tlsClientError', (err: Error & { code?: string }, socket: Socket) => {
    failed(ipOf(socket), new Error(err.code ?? err.message))
    socket.destroy()
  })
}

/** The peer's address in canonical form; empty if the socket is closed already. */
export function ipOf(socket: Pick<Socket, 'remoteAddress'>): string {
  return clientAddressOf(socket.remoteAddress ?? '') ?? ''
}

/** A TLS socket does not reveal its TCP socket, but both have the same peer. */
const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`
