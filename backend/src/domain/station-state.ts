import type { DesiredState, ReportedState, SessionState, StationState } from '@escale/protocol'

export interface StationFacts {
  isMaintenance: boolean
  isMarkedOffline: boolean
  isOnline: boolean
  /** State of the session that is active or suspended there. */
  sessionState?: SessionState
  reportedState?: ReportedState
}

/** The state that operators see; the first match wins. Source: contract, section 1, rules. */
export function stationStateOf(facts: StationFacts): StationState {
  if (facts.isMaintenance) return 'maintenance'
  if (facts.sessionState || facts.reportedState === 'cleaning') return 'occupied'
  if (facts.isMarkedOffline || !facts.isOnline) return 'offline'
  return 'available'
}

/** What a station is told to be. */
export function desiredStateOf(facts: Pick<StationFacts, 'isMaintenance' | 'sessionState'>): DesiredState {
  if (facts.sessionState === 'active' || facts.sessionState === 'suspended') return facts.sessionState
  return facts.isMaintenance ? 'maintenance' : 'locked'
}
