import type { SiteConfig, StationEvent } from '@escale/protocol'
import type { HeldSession } from './lease.ts'

/** An event kept until the server has taken it. */
export interface StoredEvent extends Omit<StationEvent, 'at'> {
  atUnixMs: number
  /** Stamped before the server's clock was known; shifted when it is. */
  isApproximate: boolean
}

interface SavedSession extends HeldSession {
  remainingMs: number
}

export type SavedRest =
  | { kind: 'locked' }
  | { kind: 'maintenance' }
  | { kind: 'active'; session: SavedSession; endsAtUnixMs?: number }
  | { kind: 'suspended'; session: SavedSession; suspendLeftMs: number }

/** What outlives the process: no instant of the monotonic clock, only what is left. */
export interface Snapshot {
  stationId: string
  label?: string
  version: number
  rest: SavedRest
  /** The machine was being cleaned: it is to be done again. */
  isCleaning?: boolean
  endedSessionIds: readonly string[]
  events: readonly StoredEvent[]
  config: SiteConfig
}
