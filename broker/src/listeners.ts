import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls'
import { ipOf, watchNewSockets, type NewSocketPorts } from './new-sockets.ts'
import type { ListenOptions, Origin, TlsCertificate } from './ports.ts'

/**
 * After this time without traffic the system probes the peer, which finds half-open sockets of clients without
 * keepalive.
 */
const TCP_KEEPALIVE_MS = 30_000
/**
 * Maximum number of connections that wait to be accepted. In a storm with a longer backlog, clients had given up before
 * they were accepted: 4 096 made a queue of ten seconds and served nobody.
 */
const BACKLOG = 511

// Without noDelay the first retained message waits for a delayed ACK: 45 ms instead of 3.
const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS }

interface ListenersParts extends Omit<NewSocketPorts, 'accept'> {
  accept(socket: Socket, origin: Origin, leavePlace: () => void): void
  failed(ip: string, err: Error): void
  turnAway(socket: Socket): void
}

/** The TCP and TLS listeners of the broker. */
export function createListeners(parts: ListenersParts) {
  const servers: Server[] = []
  let isClosed = false

  return {
    /** Rejects if the address is not available. */
    async open(options: ListenOptions): Promise<AddressInfo> {
      const server = await openListener(options, parts)
      servers.push(server)
      if (isClosed) server.close()
      return addressOf(server)
    },
    /** Uses another certificate for new connections. */
    renew(certificate: TlsCertificate): void {
      for (const server of servers)
        if (server instanceof TlsServer) server.setSecureContext(contextOf(certificate))
    },
    close(): void {
      isClosed = true
      for (const server of servers) server.close()
    },
  }
}

async function openListener(options: ListenOptions, parts: ListenersParts): Promise<Server> {
  const { tls, port, host } = options
  const server = tls ? createTlsServer({ ...contextOf(tls), ...socketOptions }) : createServer(socketOptions)
  const transport = tls ? 'tls' : 'tcp'
  watchNewSockets(server, tls !== undefined, {
    ...parts,
    accept: (socket, leavePlace) => parts.accept(socket, { ip: ipOf(socket), transport }, leavePlace),
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return server.on('error', (err: Error) => parts.failed('', err))
}

const contextOf = ({ key, cert }: TlsCertificate) => ({ key, cert, minVersion: 'TLSv1.2' }) as const

function addressOf(server: Server): AddressInfo {
  const address = server.address()
  if (!address || typeof address === 'string') throw new Error('listener has no network address')
  return address
}
