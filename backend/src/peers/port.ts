import type { TopicName } from '@escale/protocol'
import type { AppEvent } from '../events.ts'

/** What one server of a site tells all others. */
export type PeerMessage =
  /** Says that it is here (again), and asks what stations have said elsewhere and is retained. */
  | { type: 'hello' }
  /** Something has been committed. */
  | { type: 'event'; event: AppEvent }
  /** Something was said on the bus, at this instant, Unix milliseconds. */
  | { type: 'said'; name: TopicName; party?: string; payload: object; atMs: number }
  | { type: 'clearRetained'; stationId: string }
  | { type: 'disconnectStation'; stationId: string }
  /** A client has connected: whoever holds an older connection with its client id lets go of it. */
  | { type: 'connected'; clientId: string; ownerId: string }

export interface PeerListener {
  take(message: PeerMessage): void
  /** The others are heard, for the first time or again: what was said meanwhile is not known. */
  joined(): void
  lost(): void
}

/** The other servers of the same site. The database is the truth: what they say is only news of it. */
export interface Peers {
  /** Told at most once: nothing is kept for whoever does not listen, or while nobody can be reached. */
  send(message: PeerMessage): void
  /** Starts to listen, once. */
  listen(listener: PeerListener): Promise<void>
  isConnected(): boolean
  close(): Promise<void>
}
