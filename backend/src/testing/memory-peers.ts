import type { PeerListener, Peers } from '../peers/port.ts'

/** Connects servers in one process, for tests. Each call of `join` makes one server. */
export function createMemoryPeers() {
  const listeners = new Map<Peers, PeerListener>()
  let isConnected = true
  return {
    join(): Peers {
      const self: Peers = {
        send(message) {
          if (!isConnected) return
          // A copy, as if it came from another machine.
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
    /** Disconnects all servers until `mend`. */
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
