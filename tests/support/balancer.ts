import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Balancer {
  close(): Promise<void>
}

/**
 * A load balancer: accepts TCP connections at one address and forwards each to the first of the given hosts that
 * answers on the same port. When that server stops, its connections close.
 */
export async function startBalancer(host: string, ports: number[], targets: string[]): Promise<Balancer> {
  const sockets = new Set<Socket>()
  const track = (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket)).on('error', () => undefined)
  }

  function forward(client: Socket, port: number, [target, ...others]: string[]): void {
    if (target === undefined) {
      client.destroy()
      return
    }
    const server = connect({ host: target, port, noDelay: true })
    track(server)
    server.once('connect', () => {
      server.removeListener('error', next)
      client.pipe(server).pipe(client)
      client.once('close', () => server.destroy())
      server.once('close', () => client.destroy())
    })
    const next = () => forward(client, port, others)
    server.once('error', next)
  }

  const listeners = await Promise.all(
    ports.map(async (port) => {
      const listener = createServer({ noDelay: true, pauseOnConnect: true }, (client) => {
        track(client)
        forward(client, port, targets)
      }).listen(port, host)
      await once(listener, 'listening')
      return listener
    }),
  )
  return {
    async close() {
      for (const socket of sockets) socket.destroy()
      await Promise.all(listeners.map((listener) => once(listener.close(), 'close')))
    },
  }
}
