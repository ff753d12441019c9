import type { PeerListener, Peers } from './port.ts'

/** Servers in one process that hear each other, for tests; each call of `join` makes one of them. */
export function createMemoryPeers() {
  const listeners = new Map<Peers, PeerListener>()
  let isConnected = true
  return {
    join(): Peers {
      const self: Peers = {
        send(message) {
          if (!isConnected) return
          // As from another machine: nothing is shared.
          const text = JSON.stringify(message)
          for (const [peer, listener] of listeners) {
            if (peer !== self) listener.take(JSON.parse(text) as typeof message)
          }
        },
        async listen(listener) {
          listeners.set(self, listener)
          listener.joined()
        },
        isConnected: () => isConnected,
        async close() {
          listeners.delete(self)
        },
      }
      return self
    },
    /** Nobody hears anybody, until `mend`. */
    cut() {
      isConnected = false
      for (const listener of listeners.values()) listener.lost()
    },
    mend() {
      isConnected = true
      for (const listener of listeners.values()) listener.joined()
    },
  }
}
