import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls'
import { clientAddressOf } from '@escale/protocol'
import type { Deadlines } from './deadlines.ts'
import type { ListenOptions, Origin, TlsCertificate } from './ports.ts'
import type { Strangers } from './strangers.ts'

/** After this long without traffic the system probes the peer: finds half-open sockets of keepalive-0 clients. */
const TCP_KEEPALIVE_MS = 30_000

// Without noDelay the first retained message waits for a delayed ACK: 45 ms instead of 3.
const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS }

interface ListenerPorts {
  accept(socket: Socket, origin: Origin, known: () => void): void
  failed(err: Error, during: 'handshake' | 'listening', ip: string): void
  strangers: Strangers
  deadline: Deadlines
  handshakeTimeoutMs: number
}

/** Opens a TCP or TLS listener. Rejects when the address cannot be had. */
export async function openListener(options: ListenOptions, ports: ListenerPorts): Promise<Server> {
  const server = options.tls
    ? createTlsServer({ ...contextOf(options.tls), ...socketOptions })
    : createServer(socketOptions)
  const handshakes = new Map<string, Handshake>()

  server.on('connection', (socket: Socket) => {
    const ip = ipOf(socket)
    const known = ports.strangers.admit(ip, () => socket.destroy())
    if (!known) {
      socket.destroy()
      return
    }
    socket.once('close', known)
    if (options.tls) handshakes.set(peerOf(socket), beginHandshake(socket, known))
    else ports.accept(socket, { ip, transport: 'tcp' }, known)
  })

  /** Node tells of a handshake that takes too long, but leaves the socket open. */
  function beginHandshake(socket: Socket, known: () => void): Handshake {
    const peer = peerOf(socket)
    const late = ports.deadline(ports.handshakeTimeoutMs, () => {
      ports.failed(new Error('TLS handshake took too long'), 'handshake', ipOf(socket))
      socket.destroy()
    })
    const end = () => {
      late.stop()
      handshakes.delete(peer)
    }
    socket.once('close', end)
    return { known, end }
  }

  if (options.tls) {
    server.on('secureConnection', (socket: Socket) => {
      const handshake = handshakes.get(peerOf(socket))
      handshake?.end()
      if (handshake) ports.accept(socket, { ip: ipOf(socket), transport: 'tls' }, handshake.known)
      else socket.destroy()
    })
    server.on('tlsClientError', (err: Error & { code?: string }, socket: Socket) => {
      ports.failed(new Error(err.code ?? err.message), 'handshake', ipOf(socket))
      socket.destroy()
    })
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return server.on('error', (err: Error) => ports.failed(err, 'listening', ''))
}

interface Handshake {
  known: () => void
  end: () => void
}

/** A TLS socket does not say which socket it came from; both have the same peer. */
const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`

/** Shows another certificate to whoever connects from now on. */
export function renewListener(server: Server, certificate: TlsCertificate): void {
  if (server instanceof TlsServer) server.setSecureContext(contextOf(certificate))
}

const contextOf = ({ key, cert }: TlsCertificate) => ({ key, cert, minVersion: 'TLSv1.2' }) as const

export function addressOf(server: Server): AddressInfo {
  const address = server.address()
  if (!address || typeof address === 'string') throw new Error('listener has no network address')
  return address
}

/** The peer's address in its canonical text; empty when the socket is gone already. */
function ipOf(socket: Pick<Socket, 'remoteAddress'>): string {
  return clientAddressOf(socket.remoteAddress ?? '') ?? ''
}
