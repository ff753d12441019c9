import { rejected, step, type StationState, type Step } from './state.ts'

/**
 * Whether the visitor still has to accept the site's terms. Until then the station stays locked and shows them. A
 * visitor who was let in is not asked again in the same session, even if the terms change.
 */
export const hasTermsToAccept = ({ phase, config, admittedSessionId }: StationState): boolean =>
  phase.kind === 'active' && config.terms.trim() !== '' && admittedSessionId !== phase.lease.sessionId

/** Whether the visitor may use the station now. */
export const isAdmitted = (state: StationState): boolean =>
  state.phase.kind === 'active' && !hasTermsToAccept(state)

/** Remembers that the visitor of the running session was let in. */
export function admit(state: StationState): StationState {
  return state.phase.kind === 'active' ? { ...state, admittedSessionId: state.phase.lease.sessionId } : state
}

export function acceptTerms(state: StationState): Step {
  if (!hasTermsToAccept(state)) return rejected(state, 'termsAccepted', 'not-asked')
  return step(admit(state), { kind: 'save' })
}
