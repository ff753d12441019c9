import type { AedesPublishPacket, Client } from 'aedes'
import type { TopicMatch } from '@escale/protocol'
import type { Origin, Principal } from './ports.ts'

/** Longest delay of a Node timer, milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1

export interface Connection {
  client: Client
  username: string
  clientId: string
  principal: Principal
  origin: Origin
  /** Topics that the policy has allowed: only a few, but checked with each message. */
  publishable: Map<string, TopicMatch>
  /** Its subscriptions. */
  filters: Set<string>
  isDuplicate: (packet: AedesPublishPacket) => boolean
  /** Set by `revoke`: its queued messages are ignored. */
  isRevoked: boolean
}

export type Connections = ReturnType<typeof createConnections>

/** The logged-in connections. Each is removed when its stream closes or its token expires. */
export function createConnections(nowMs: () => number) {
  const live = new Map<Client, Connection>()
  // A will is published after the stream has closed, so the connection must still be known then.
  const known = new WeakMap<Client, Connection>()
  const byUsername = new Map<string, Set<Connection>>()

  const ofUsername = (username: string): Connection[] => [...(byUsername.get(username) ?? [])]

  function leave(connection: Connection) {
    live.delete(connection.client)
    const siblings = byUsername.get(connection.username)
    siblings?.delete(connection)
    if (siblings?.size === 0) byUsername.delete(connection.username)
  }

  return {
    add(connection: Connection): void {
      const { client, principal, username } = connection
      live.set(client, connection)
      known.set(client, connection)
      const siblings = byUsername.get(username) ?? new Set()
      byUsername.set(username, siblings.add(connection))
      const stopExpiry = expireAt(principal.expiresAtMs, nowMs, () => client.conn.destroy())
      client.conn.once('close', () => {
        stopExpiry()
        leave(connection)
      })
    },
    of: (client: Client): Connection | undefined => known.get(client),
    all: (): Iterable<Connection> => live.values(),
    ofUsername,
    /** Whether another connection with the same client id exists. */
    hasNewer: (connection: Connection): boolean =>
      ofUsername(connection.username).some(
        (other) => other !== connection && other.clientId === connection.clientId,
      ),
    count: () => live.size,
    /**
     * Closes the connections of matching principals at once and ignores their queued messages.
     * @returns how many
     */
    revoke(matches: (principal: Principal) => boolean): number {
      const chosen = [...live.values()].filter(({ principal }) => matches(principal))
      for (const connection of chosen) {
        connection.isRevoked = true
        connection.client.conn.destroy()
      }
      return chosen.length
    },
    /** Closes a connection without its will: its client has connected to another broker of the site. */
    takeOver(clientId: string, principalId: string): void {
      for (const { client, principal, clientId: held } of live.values()) {
        if (held !== clientId || principal.id !== principalId) continue
        // Aedes looks for a will when a connection closes; its types do not show where.
        ;(client as Client & { will?: unknown }).will = undefined
        client.conn.destroy()
      }
    },
  }
}

function expireAt(atMs: number | undefined, nowMs: () => number, onExpired: () => void): () => void {
  if (atMs === undefined) return () => undefined
  let timer: NodeJS.Timeout
  const arm = () => {
    const leftMs = atMs - nowMs()
    if (leftMs <= 0) onExpired()
    else timer = setTimeout(arm, Math.min(leftMs, MAX_TIMER_MS)).unref()
  }
  arm()
  return () => clearTimeout(timer)
}
