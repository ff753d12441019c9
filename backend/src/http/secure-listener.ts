import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { LimitConnections } from './connection-limits.ts'
import { serverOptions } from './server-options.ts'
import type { Certificates } from '../certificates/certificates.ts'
import type { ServerCertificate } from '../certificates/pem.ts'

/**
 * Serves the app over TLS too, including WebSockets. The app's own listener must be open; this one closes with it.
 * Rejects if the address is not available.
 */
export async function listenSecurely(
  app: FastifyInstance,
  address: { host: string; port: number },
  certificates: Pick<Certificates, 'current' | 'onRenewed'>,
  limitConnections: LimitConnections,
): Promise<AddressInfo> {
  const plain = app.server
  const server = createServer(
    { ...serverOptions, ...contextOf(certificates.current()) },
    (request, response) => app.routing(request, response),
  )
  certificates.onRenewed((certificate) => server.setSecureContext(contextOf(certificate)))
  server.keepAliveTimeout = plain.keepAliveTimeout
  server.requestTimeout = plain.requestTimeout
  server.headersTimeout = plain.headersTimeout
  server.on('upgrade', (request, socket, head) => plain.emit('upgrade', request, socket, head))
  const secured = new WeakSet<object>()
  server.on('secureConnection', (socket) => secured.add(socket))
  server.on('clientError', (err, socket) => {
    // Before the end of the handshake no answer can be sent: written data would wait and keep the socket open.
    if (secured.has(socket)) plain.emit('clientError', err, socket)
    else socket.destroy()
  })
  limitConnections(server, true)
  plain.once('close', () => {
    server.close()
    server.closeAllConnections()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, resolve)
  })
  return server.address() as AddressInfo
}

/** The certificate as options of Node's TLS servers. */
export const contextOf = ({ chain, key }: ServerCertificate) =>
  ({ cert: chain, key, minVersion: 'TLSv1.2' }) as const
