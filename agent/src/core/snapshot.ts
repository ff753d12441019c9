import { SECOND_MS } from '@escale/protocol'
import { shownMsOf } from './lease.ts'
import type { SavedRest, Snapshot } from './saved-state.ts'
import { restOf, type RestPhase, type StationState } from './state.ts'

/** The part of the state to save; undefined before the station is enrolled. */
export function snapshotOf(state: StationState, nowMs: number): Snapshot | undefined {
  const rest = restOf(state.phase)
  if (rest === undefined || state.stationId === undefined) return undefined
  const { stationId, label, version, endedSessionIds, events, config } = state
  const admitted = state.admittedSessionId === undefined ? {} : { admittedSessionId: state.admittedSessionId }
  const isCleaning = state.phase.kind === 'cleaning' ? { isCleaning: true } : {}
  const saved = { stationId, version, endedSessionIds, events, config, ...admitted, ...isCleaning }
  const snapshot = { ...saved, rest: savedRestOf(rest, nowMs) }
  return label === undefined ? snapshot : { ...snapshot, label }
}

function savedRestOf(rest: RestPhase, nowMs: number): SavedRest {
  switch (rest.kind) {
    case 'active': {
      const { endMs: _endMs, shownCapMs: _shownCapMs, endsAtUnixMs, ...held } = rest.lease
      const session = { ...held, remainingMs: shownMsOf(rest.lease, nowMs) }
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

/** The saved phase. Its time continues from what was left. */
export function restoredRest(saved: SavedRest, nowMs: number): RestPhase {
  switch (saved.kind) {
    case 'active': {
      const { remainingMs, ...session } = saved.session
      const { endsAtUnixMs } = saved
      const lease = { ...session, endMs: nowMs + Math.min(remainingMs, session.grantedSeconds * SECOND_MS) }
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
