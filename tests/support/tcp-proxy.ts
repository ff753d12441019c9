import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

export interface TcpProxy {
  readonly port: number
  /** Delays each chunk, milliseconds; 0 for none. */
  delay: (ms: number) => void
  /** Splits chunks to at most this many bytes, each sent separately; `Infinity` does not split. */
  split: (bytes: number) => void
  /** Holds back all bytes in both directions, also of new connections. No connection is closed. */
  freeze: () => void
  /** Forwards what was held back, and all later bytes. */
  thaw: () => void
  /** Resets every connection; with `isLasting` also new ones, until `mend`. */
  cut: (isLasting?: boolean) => void
  /** Accepts connections again after a lasting cut. */
  mend: () => void
  /** Closes every connection only on the server's side. The client's side stays open and gets no answer. */
  halfOpen: () => void
  /** Number of connections that are open on the client's side. */
  connections: () => number
  close: () => Promise<void>
}

/** What the proxy does to the bytes, shared by all connections. */
interface Conditions {
  delayMs: number
  chunkBytes: number
  isCut: boolean
  /** Present while the proxy is frozen; `over` resolves when it thaws. */
  freeze: { over: Promise<void>; end: () => void } | undefined
}

/** A TCP proxy on a free loopback port that simulates a bad network. */
export async function openTcpProxy(
  target: { port: number; host?: string } | { path: string },
): Promise<TcpProxy> {
  const conditions: Conditions = { delayMs: 0, chunkBytes: Infinity, isCut: false, freeze: undefined }
  const pairs = new Set<{ near: Socket; far: Socket }>()
  const isHalfOpen = new WeakSet<Socket>()

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    near.on('error', () => undefined)
    if (conditions.isCut) {
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
      if (!isHalfOpen.has(near)) near.destroy()
    })
    void forward(near, far, conditions)
    void forward(far, near, conditions)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    delay: (ms) => void (conditions.delayMs = ms),
    split: (bytes) => void (conditions.chunkBytes = bytes),
    freeze: () => {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      conditions.freeze ??= { over: promise, end: () => resolve(undefined) }
    },
    thaw: () => {
      conditions.freeze?.end()
      conditions.freeze = undefined
    },
    cut: (isLasting = false) => {
      conditions.isCut = isLasting
      for (const { near, far } of pairs) {
        near.resetAndDestroy()
        far.resetAndDestroy()
      }
    },
    mend: () => void (conditions.isCut = false),
    halfOpen: () => {
      for (const { near, far } of pairs) {
        isHalfOpen.add(near)
        far.destroy()
      }
    },
    connections: () => pairs.size,
    close: async () => {
      conditions.freeze?.end()
      for (const { near, far } of pairs) {
        near.destroy()
        far.destroy()
      }
      await once(server.close(), 'close')
    },
  }
}

/** Forwards one direction. A slow reader slows the sender down, as with TCP. */
async function forward(from: Socket, to: Socket, conditions: Conditions): Promise<void> {
  try {
    for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (conditions.delayMs > 0) await pause(conditions.delayMs)
      for (let at = 0; at < chunk.length; at += conditions.chunkBytes) {
        await conditions.freeze?.over
        if (to.destroyed) return
        if (!to.write(chunk.subarray(at, at + conditions.chunkBytes))) await once(to, 'drain')
        // Without this pause the system would join the pieces again.
        if (conditions.chunkBytes < chunk.length) await pause(0)
      }
    }
    await conditions.freeze?.over
    to.end()
  } catch {
    // The connection broke. Its `close` event ends the other side.
  }
}
