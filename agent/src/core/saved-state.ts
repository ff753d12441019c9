import type { SiteConfig, StationEvent } from '@escale/protocol'
import type { HeldSession } from './lease.ts'

/** An event that is stored until the server has acknowledged it. */
export interface StoredEvent extends Omit<StationEvent, 'at'> {
  atUnixMs: number
  /** Stamped before the server's clock was known; corrected when it is. */
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

/** What is saved across a restart. Times are durations that remain, because the monotonic clock starts again. */
export interface Snapshot {
  stationId: string
  label?: string
  version: number
  rest: SavedRest
  /** The machine was being cleaned: the cleaning must be done again. */
  isCleaning?: boolean
  /** The session whose visitor was let in: the site's terms are not asked again after a restart. */
  admittedSessionId?: string
  endedSessionIds: readonly string[]
  events: readonly StoredEvent[]
  config: SiteConfig
}
