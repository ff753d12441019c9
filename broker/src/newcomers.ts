import type { Server, Socket } from 'node:net'
import { clientAddressOf } from '@escale/protocol'
import type { Deadlines } from './deadlines.ts'
import type { Strangers } from './strangers.ts'

export interface NewcomerPorts {
  strangers: Strangers
  deadline: Deadlines
  handshakeTimeoutMs: number
  /** @param known to be called once the caller is no stranger any more; a closed socket is none anyway */
  accept(socket: Socket, known: () => void): void
  failed(err: Error, ip: string): void
}

/**
 * Counts the sockets of a server from the moment they are open, and ends TLS handshakes that take too long: Node tells
 * of these, but leaves the socket open.
 */
export function admitNewcomers(server: Server, isSecure: boolean, ports: NewcomerPorts): void {
  const { strangers, deadline, handshakeTimeoutMs, accept, failed } = ports
  const handshakes = new Map<string, { known: () => void; end: () => void }>()

  function beginHandshake(socket: Socket, known: () => void) {
    const peer = peerOf(socket)
    const ip = ipOf(socket)
    const late = deadline(handshakeTimeoutMs, () => {
      failed(new Error('TLS handshake took too long'), ip)
      socket.destroy()
    })
    const end = () => {
      late.stop()
      handshakes.delete(peer)
    }
    handshakes.set(peer, { known, end })
    socket.once('close', end)
  }

  server.on('connection', (socket: Socket) => {
    const known = strangers.admit(ipOf(socket), () => socket.destroy())
    if (!known) {
      socket.destroy()
      return
    }
    socket.once('close', known)
    if (isSecure) beginHandshake(socket, known)
    else accept(socket, known)
  })
  if (!isSecure) return

  server.on('secureConnection', (socket: Socket) => {
    const handshake = handshakes.get(peerOf(socket))
    handshake?.end()
    if (handshake) accept(socket, handshake.known)
    else socket.destroy()
  })
  server.on('tlsClientError', (err: Error & { code?: string }, socket: Socket) => {
    failed(new Error(err.code ?? err.message), ipOf(socket))
    socket.destroy()
  })
}

/** The peer's address in its canonical text; empty when the socket is gone already. */
export function ipOf(socket: Pick<Socket, 'remoteAddress'>): string {
  return clientAddressOf(socket.remoteAddress ?? '') ?? ''
}

/** A TLS socket does not say which socket it came from; both have the same peer. */
const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`
