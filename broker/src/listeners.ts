import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls'
import { admitNewcomers, ipOf, type NewcomerPorts } from './newcomers.ts'
import type { ListenOptions, Origin, TlsCertificate } from './ports.ts'

/** After this long without traffic the system probes the peer: finds half-open sockets of keepalive-0 clients. */
const TCP_KEEPALIVE_MS = 30_000

// Without noDelay the first retained message waits for a delayed ACK: 45 ms instead of 3.
const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS }

type ListenerPorts = Omit<NewcomerPorts, 'accept' | 'failed'> & {
  accept(socket: Socket, origin: Origin, known: () => void): void
  failed(err: Error, during: 'handshake' | 'listening', ip: string): void
}

/** Opens a TCP or TLS listener. Rejects when the address cannot be had. */
export async function openListener(options: ListenOptions, ports: ListenerPorts): Promise<Server> {
  const { tls } = options
  const server = tls ? createTlsServer({ ...contextOf(tls), ...socketOptions }) : createServer(socketOptions)
  admitNewcomers(server, tls !== undefined, {
    ...ports,
    accept: (socket, known) =>
      ports.accept(socket, { ip: ipOf(socket), transport: tls ? 'tls' : 'tcp' }, known),
    failed: (err, ip) => ports.failed(err, 'handshake', ip),
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return server.on('error', (err: Error) => ports.failed(err, 'listening', ''))
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
