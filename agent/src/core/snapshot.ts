import type { SiteConfig } from '@escale/protocol'
import { shownMsOf } from './lease.ts'
import { restOf, type RestPhase, type StationState, type StoredEvent } from './state.ts'

interface SavedSession {
  sessionId: string
  displayName: string
  grantedSeconds: number
  remainingMs: number
  armed: readonly number[]
}

export type SavedRest =
  | { kind: 'locked' }
  | { kind: 'maintenance' }
  | { kind: 'active'; session: SavedSession; endsAtUnixMs?: number }
  | { kind: 'suspended'; session: SavedSession; suspendLeftMs: number }

/** What outlives the process: no instant of the monotonic clock, only what is left. */
export interface Snapshot {
  stationId: string
  version: number
  rest: SavedRest
  endedSessionIds: readonly string[]
  events: readonly StoredEvent[]
  config: SiteConfig
}

/** The state as it is to be written down; undefined before the station is enrolled. */
export function snapshotOf(state: StationState, nowMs: number): Snapshot | undefined {
  const rest = restOf(state.phase)
  if (rest === undefined || state.stationId === undefined) return undefined
  const { stationId, version, endedSessionIds, events, config } = state
  return { stationId, version, endedSessionIds, events, config, rest: savedRestOf(rest, nowMs) }
}

function savedRestOf(rest: RestPhase, nowMs: number): SavedRest {
  switch (rest.kind) {
    case 'active': {
      const { sessionId, displayName, grantedSeconds, armed, endsAtUnixMs } = rest.lease
      const remainingMs = shownMsOf(rest.lease, nowMs)
      const session = { sessionId, displayName, grantedSeconds, armed, remainingMs }
      return { kind: 'active', session, ...(endsAtUnixMs === undefined ? {} : { endsAtUnixMs }) }
    }
    case 'suspended': {
      const { deadlineMs, ...session } = rest.pause
      return { kind: 'suspended', session, suspendLeftMs: Math.max(0, deadlineMs - nowMs) }
    }
    case 'locked':
    case 'maintenance':
      return { kind: rest.kind }
  }
}

/** The rest phase written down, its time going on from what was left. */
export function restoredRest(saved: SavedRest, nowMs: number): RestPhase {
  switch (saved.kind) {
    case 'active': {
      const { remainingMs, ...session } = saved.session
      const { endsAtUnixMs } = saved
      const lease = { ...session, endMs: nowMs + remainingMs }
      return { kind: 'active', lease: endsAtUnixMs === undefined ? lease : { ...lease, endsAtUnixMs } }
    }
    case 'suspended':
      return {
        kind: 'suspended',
        pause: { ...saved.session, deadlineMs: nowMs + saved.suspendLeftMs },
      }
    case 'locked':
      return { kind: 'locked', entry: { kind: 'idle' } }
    case 'maintenance':
      return { kind: 'maintenance' }
  }
}
