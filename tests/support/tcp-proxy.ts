import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

export interface TcpProxy {
  readonly port: number
  /** Each piece waits this long on its way, milliseconds; 0 for none. */
  delay: (ms: number) => void
  /** Pieces become at most this long, bytes, each sent by itself; `Infinity` leaves them whole. */
  split: (bytes: number) => void
  /** Nothing passes in either direction, new connections are taken and left alone; nobody notices by the network. */
  freeze: () => void
  /** Lets pass what was held back, and everything after it. */
  thaw: () => void
  /** Breaks every connection with a reset; while `isLasting`, new ones too. */
  cut: (isLasting?: boolean) => void
  /** New connections pass again after a lasting cut. */
  mend: () => void
  /** Closes every connection on the server's side alone; the client's stay open and get no answer. */
  halfOpen: () => void
  /** Connections that are open on the client's side. */
  connections: () => number
  close: () => Promise<void>
}

/** What the proxy does to bytes that pass; kept in one place, so that it holds for old and new connections. */
interface Weather {
  delayMs: number
  pieceBytes: number
  isCut: boolean
  /** Resolves when the frost ends; undefined while there is none. */
  frost: { over: Promise<void>; end: () => void } | undefined
}

/** A TCP proxy on a free port of loopback that does to a connection what bad networks do. */
export async function openTcpProxy(
  target: { port: number; host?: string } | { path: string },
): Promise<TcpProxy> {
  const weather: Weather = { delayMs: 0, pieceBytes: Infinity, isCut: false, frost: undefined }
  const pairs = new Set<{ near: Socket; far: Socket }>()
  const isAlone = new WeakSet<Socket>()

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    near.on('error', () => undefined)
    if (weather.isCut) {
      near.resetAndDestroy()
      return
    }
    const far = connect({ host: '127.0.0.1', allowHalfOpen: true, noDelay: true, ...target })
    far.on('error', () => near.destroy())
    const pair = { near, far }
    pairs.add(pair)
    near.once('close', () => {
      pairs.delete(pair)
      far.destroy()
    })
    far.once('close', () => {
      if (!isAlone.has(near)) near.destroy()
    })
    void carry(near, far, weather)
    void carry(far, near, weather)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    delay: (ms) => void (weather.delayMs = ms),
    split: (bytes) => void (weather.pieceBytes = bytes),
    freeze: () => {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      weather.frost ??= { over: promise, end: () => resolve(undefined) }
    },
    thaw: () => {
      weather.frost?.end()
      weather.frost = undefined
    },
    cut: (isLasting = false) => {
      weather.isCut = isLasting
      for (const { near, far } of pairs) {
        near.resetAndDestroy()
        far.resetAndDestroy()
      }
    },
    mend: () => void (weather.isCut = false),
    halfOpen: () => {
      for (const { near, far } of pairs) {
        isAlone.add(near)
        far.destroy()
      }
    },
    connections: () => pairs.size,
    close: async () => {
      weather.frost?.end()
      for (const { near, far } of pairs) {
        near.destroy()
        far.destroy()
      }
      await once(server.close(), 'close')
    },
  }
}

/** Carries one direction; a reader that is held up holds up the writer behind it, as TCP does. */
async function carry(from: Socket, to: Socket, weather: Weather): Promise<void> {
  try {
    for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (weather.delayMs > 0) await pause(weather.delayMs)
      for (let at = 0; at < chunk.length; at += weather.pieceBytes) {
        await weather.frost?.over
        if (to.destroyed) return
        if (!to.write(chunk.subarray(at, at + weather.pieceBytes))) await once(to, 'drain')
        // Else the pieces would leave together.
        if (weather.pieceBytes < chunk.length) await pause(0)
      }
    }
    await weather.frost?.over
    to.end()
  } catch {
    // A broken connection: its other side is told by `close`.
  }
}
