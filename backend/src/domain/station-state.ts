import type { DesiredState, ReportedState, SessionState, StationState } from '@escale/protocol'

/** What a station is told to be. */
export function desiredStateOf(isMaintenance: boolean, runningState: SessionState | undefined): DesiredState {
  if (runningState === 'active' || runningState === 'suspended') return runningState
  return isMaintenance ? 'maintenance' : 'locked'
}

/** What a station's state follows from. */
export interface StationFacts {
  isMaintenance: boolean
  /** Marked so by an operator, until it is next heard. */
  isMarkedOffline: boolean
  online: boolean
  reportedState: ReportedState | null
  hasRunningSession: boolean
}

/** What operators see a station to be: the first rule that fits. Source: docs/contract.md, Rules */
export function stationStateOf(facts: StationFacts): StationState {
  const isCleaning = facts.online && facts.reportedState === 'cleaning'
  if (facts.isMaintenance) return 'maintenance'
  if (facts.hasRunningSession || isCleaning) return 'occupied'
  if (facts.isMarkedOffline || !facts.online) return 'offline'
  return 'available'
}
