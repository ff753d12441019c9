import type { IncomingMessage } from 'node:http'
import type { Server, Socket } from 'node:net'

const MAX_CONNECTIONS = 64

/**
 * Whether a request comes from the screen's own page. Another site's page must not control the station: its requests
 * have another Origin, and a DNS name that points at loopback (DNS rebinding) shows in Host. Other programs may only
 * read.
 */
export function isFromOwnPage(request: IncomingMessage, port: number): boolean {
  const { headers, method } = request
  if (!isForScreen(request, port)) return false
  if (headers.origin !== undefined) return hostsOf(port).some((host) => headers.origin === `http://${host}`)
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  return method === 'GET' || method === 'HEAD'
}

const hostsOf = (port: number) => [`127.0.0.1:${port}`, `localhost:${port}`]

/** Whether a request names the screen itself as its host. */
export const isForScreen = ({ headers }: IncomingMessage, port: number): boolean =>
  headers.host !== undefined && hostsOf(port).includes(headers.host)

/** Limits the number of connections. The oldest is closed first, and its page reconnects, so nobody is locked out. */
export function limitConnections(server: Server): void {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    const [oldest] = open
    if (oldest === undefined || open.size <= MAX_CONNECTIONS) return
    open.delete(oldest)
    oldest.destroy()
  })
}
