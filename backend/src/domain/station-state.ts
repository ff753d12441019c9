import type { DesiredState, ReportedState, SessionState, StationState } from '@escale/protocol'

/** The state that a station should have. */
export function desiredStateOf(isMaintenance: boolean, runningState: SessionState | undefined): DesiredState {
  if (runningState === 'active' || runningState === 'suspended') return runningState
  return isMaintenance ? 'maintenance' : 'locked'
}

/** The facts that decide a station's state. */
export interface StationFacts {
  isMaintenance: boolean
  /** An operator marked it offline; the mark goes when the station sends something. */
  isMarkedOffline: boolean
  online: boolean
  reportedState: ReportedState | null
  hasRunningSession: boolean
}

/** The state that operators see: the first rule that applies. Source: docs/contract.md, Rules */
export function stationStateOf(facts: StationFacts): StationState {
  const isCleaning = facts.online && facts.reportedState === 'cleaning'
  if (facts.isMaintenance) return 'maintenance'
  if (facts.hasRunningSession || isCleaning) return 'occupied'
  if (facts.isMarkedOffline || !facts.online) return 'offline'
  return 'available'
}
