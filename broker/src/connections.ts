import type { AedesPublishPacket, Client } from 'aedes'
import type { TopicMatch } from '@escale/protocol'
import type { Origin, Principal } from './ports.ts'

/** Longest delay that a Node timer takes, milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1

export interface Connection {
  client: Client
  username: string
  clientId: string
  principal: Principal
  origin: Origin
  /** Topics found to be within its policy: a handful at most, asked for with each message. */
  publishable: Map<string, TopicMatch>
  /** What it subscribes to. */
  filters: Set<string>
  isDuplicate: (packet: AedesPublishPacket) => boolean
  /** Set by `revoke`: what is still queued of it is not taken. */
  isRevoked: boolean
}

export interface Connections {
  add(connection: Connection): void
  of(client: Client): Connection | undefined
  all(): Iterable<Connection>
  ofUsername(username: string): Connection[]
  /** Whether its client is connected by another connection too, of the same client id. */
  hasNewer(connection: Connection): boolean
  count(): number
  /**
   * Closes the connections of matching principals at once; what is still queued of them is not taken.
   * @returns how many
   */
  revoke(matches: (principal: Principal) => boolean): number
  /** Closes a connection without its will: its client has connected to another broker of the site. */
  takeOver(clientId: string, principalId: string): void
}

/** The connections that are logged in; each leaves by itself when its stream closes or its token expires. */
export function createConnections(nowMs: () => number): Connections {
  const live = new Map<Client, Connection>()
  // A will is sent after its stream has closed: its connection must still be known then.
  const known = new WeakMap<Client, Connection>()
  const byUsername = new Map<string, Set<Connection>>()

  function leave(connection: Connection) {
    live.delete(connection.client)
    const siblings = byUsername.get(connection.username)
    siblings?.delete(connection)
    if (siblings?.size === 0) byUsername.delete(connection.username)
  }

  return {
    add(connection) {
      const { client, principal, username } = connection
      live.set(client, connection)
      known.set(client, connection)
      const siblings = byUsername.get(username)
      if (siblings) siblings.add(connection)
      else byUsername.set(username, new Set([connection]))
      const stopExpiry = expireAt(principal.expiresAtMs, nowMs, () => client.conn.destroy())
      client.conn.once('close', () => {
        stopExpiry()
        leave(connection)
      })
    },
    of: (client) => known.get(client),
    all: () => live.values(),
    ofUsername: (username) => [...(byUsername.get(username) ?? [])],
    hasNewer: (connection) =>
      [...(byUsername.get(connection.username) ?? [])].some(
        (other) => other !== connection && other.clientId === connection.clientId,
      ),
    count: () => live.size,
    revoke(matches) {
      const chosen = [...live.values()].filter(({ principal }) => matches(principal))
      for (const connection of chosen) {
        connection.isRevoked = true
        connection.client.conn.destroy()
      }
      return chosen.length
    },
    takeOver(clientId, principalId) {
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
