import { instantOf, type StationEvent } from '@escale/protocol'
import { CLOCK_STEP_MS } from './clock.ts'
import type { StoredEvent } from './saved-state.ts'
import type { StationState } from './state.ts'

/** Beyond this the oldest go: a station cut off for weeks must not fill its memory. */
const MAX_STORED_EVENTS = 1_000

/** Adds an event, stamped in the server's clock as far as it is known, kept until the server has it. */
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
 * Restamps what was written in another reckoning than the server's: before its clock was known, or before that was
 * set; only of this boot, whose own clock still runs.
 */
export function restamped(state: StationState, shiftMs: number): readonly StoredEvent[] {
  const isStep = Math.abs(shiftMs) > CLOCK_STEP_MS
  return state.events.map((event) =>
    event.bootId === state.bootId && (event.isApproximate || isStep)
      ? { ...event, atUnixMs: Math.round(event.atUnixMs + shiftMs), isApproximate: false }
      : event,
  )
}

/** An event as it goes over the bus. */
export function stationEventOf({ bootId, seq, kind, details, atUnixMs }: StoredEvent): StationEvent {
  return { bootId, seq, at: instantOf(atUnixMs), kind, details }
}
