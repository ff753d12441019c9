import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls'
import { clientAddressOf } from '@escale/protocol'
import type { ListenOptions, Origin, TlsCertificate } from './ports.ts'

/** After this long without traffic the system probes the peer: finds half-open sockets of keepalive-0 clients. */
const TCP_KEEPALIVE_MS = 30_000
const TLS_HANDSHAKE_TIMEOUT_MS = 5_000

// Without noDelay the first retained message waits for a delayed ACK: 45 ms instead of 3.
const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS }

interface ListenerPorts {
  accept(socket: Socket, origin: Origin): void
  failed(err: Error, during: 'handshake' | 'listening'): void
}

/** Opens a TCP or TLS listener. Rejects when the address cannot be had. */
export async function openListener(options: ListenOptions, ports: ListenerPorts): Promise<Server> {
  const server = options.tls
    ? createTlsServer(
        {
          ...contextOf(options.tls),
          ...socketOptions,
          handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS,
        },
        (socket) => ports.accept(socket, { ip: ipOf(socket), transport: 'tls' }),
      ).on('tlsClientError', (err) => ports.failed(err, 'handshake'))
    : createServer(socketOptions, (socket) => ports.accept(socket, { ip: ipOf(socket), transport: 'tcp' }))

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return server.on('error', (err: Error) => ports.failed(err, 'listening'))
}

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
