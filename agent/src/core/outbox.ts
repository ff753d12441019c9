import { instantOf, type StationEvent } from '@escale/protocol'
import { CLOCK_STEP_MS } from './clock.ts'
import type { StoredEvent } from './saved-state.ts'
import type { StationState } from './state.ts'

/** Beyond this the oldest events are dropped: a station that is offline for weeks must not fill its memory. */
const MAX_STORED_EVENTS = 1_000

/** Adds an event, which is stored until the server has it. Its time is the server's, as far as that is known. */
export function withEvent(
  state: StationState,
  kind: StationEvent['kind'],
  details: Record<string, unknown>,
  atMs: number,
): StationState {
  const event: StoredEvent = {
    bootId: state.bootId,
    seq: state.nextEventSeq,
    kind,
    details,
    atUnixMs: Math.round(atMs + state.stampOffsetMs),
    isApproximate: state.clock === undefined,
  }
  return {
    ...state,
    events: [...state.events, event].slice(-MAX_STORED_EVENTS),
    nextEventSeq: state.nextEventSeq + 1,
  }
}

/**
 * Corrects the time of stored events that were stamped before the server's clock was known, or before it was set.
 * Only events of this boot are corrected: the monotonic clock of an earlier boot is gone.
 */
export function withCorrectedTimes(state: StationState, shiftMs: number): readonly StoredEvent[] {
  const isStep = Math.abs(shiftMs) > CLOCK_STEP_MS
  return state.events.map((event) =>
    event.bootId === state.bootId && (event.isApproximate || isStep)
      ? { ...event, atUnixMs: Math.round(event.atUnixMs + shiftMs), isApproximate: false }
      : event,
  )
}

/** An event as it is published on the bus. */
export function stationEventOf({ bootId, seq, kind, details, atUnixMs }: StoredEvent): StationEvent {
  return { bootId, seq, at: instantOf(atUnixMs), kind, details }
}
