import type { DesiredState, SessionState } from '@escale/protocol'

/** What a station is told to be. What operators see it to be is derived by the view `station_views`. */
export function desiredStateOf(isMaintenance: boolean, runningState: SessionState | undefined): DesiredState {
  if (runningState === 'active' || runningState === 'suspended') return runningState
  return isMaintenance ? 'maintenance' : 'locked'
}
