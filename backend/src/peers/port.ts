import type { TopicName } from '@escale/protocol'
import type { AppEvent } from '../events.ts'

/** A message from one server of a site to all others. */
export type PeerMessage =
  /** The sender has joined (again) and asks for the retained messages of stations on other servers. */
  | { type: 'hello' }
  /** Something has been committed. */
  | { type: 'event'; event: AppEvent }
  /** A message was published on the bus at this instant, Unix milliseconds. */
  | { type: 'said'; name: TopicName; party?: string; payload: object; atMs: number }
  | { type: 'clearRetained'; stationId: string }
  | { type: 'disconnectStation'; stationId: string }
  /** A client has connected. A server with an older connection of the same client id closes it. */
  | { type: 'connected'; clientId: string; ownerId: string }

export interface PeerListener {
  take(message: PeerMessage): void
  /** The connection to the others is open, for the first time or again. Earlier messages were missed. */
  joined(): void
  lost(): void
}

/** The other servers of the same site. The database is authoritative; their messages only announce its changes. */
export interface Peers {
  /** Sends at most once. A message is lost for servers that are not connected. */
  send(message: PeerMessage): void
  /** Starts to listen, once. */
  listen(listener: PeerListener): Promise<void>
  isConnected(): boolean
  close(): Promise<void>
}
