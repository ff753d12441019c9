import type { IncomingMessage } from 'node:http'
import type { Server, Socket } from 'node:net'

const MAX_CONNECTIONS = 64

/**
 * A web page that the visitor has open must not drive the station: another site's page carries its own Origin,
 * and a name that it made to point at loopback shows in Host. A program without a browser may read, not act.
 */
export function isOurs({ headers, method }: IncomingMessage, port: number): boolean {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  if (headers.host === undefined || !hosts.includes(headers.host)) return false
  if (headers.origin !== undefined) return hosts.some((host) => headers.origin === `http://${host}`)
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  return method === 'GET' || method === 'HEAD'
}

/** Whoever opens connections without end shuts nobody out: the oldest one gives way, and its page comes again. */
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
