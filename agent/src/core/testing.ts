import { instantOf, type Desired } from '@escale/protocol'
import { initialState, type Effect, type Input, type StationState } from './state.ts'
import { transition } from './transition.ts'

/** The server's Unix ms when the station's monotonic clock shows 0. */
export const SERVER_OFFSET_MS = 1_800_000_000_000

export interface Rig {
  state: () => StationState
  nowMs: () => number
  /** All effects since the last call. */
  drain: () => Effect[]
  /** The platform performs each lock and each opening at once. */
  input: (input: Input) => Effect[]
  /** The platform says how the act under way went. */
  finish: (outcome: 'cleaned' | { error: string }) => Effect[]
  /** Advances the clock and sends a tick. */
  pass: (ms: number) => Effect[]
}

/** A core with its own clock, for tests. */
export function createRig(start: StationState = initialState({ bootId: 'boot-1', wallOffsetMs: 0 })): Rig {
  let state = start
  let nowMs = 0
  const out: Effect[] = []
  const input = (one: Input): Effect[] => {
    const step = transition(state, one, nowMs)
    state = step.state
    out.push(...step.effects)
    return [...step.effects, ...step.effects.flatMap(obey)]
  }
  const obey = (effect: Effect): Effect[] => {
    if (effect.kind === 'lock') return input({ kind: 'locked', id: effect.id })
    return effect.kind === 'open' ? input({ kind: 'opened', id: effect.id }) : []
  }
  return {
    state: () => state,
    nowMs: () => nowMs,
    drain: () => out.splice(0),
    input,
    finish: (outcome) => {
      const id = state.seat.underWay?.id ?? 0
      return input(outcome === 'cleaned' ? { kind: outcome, id } : { kind: 'actFailed', id, ...outcome })
    },
    pass: (ms) => {
      nowMs += ms
      return input({ kind: 'tick' })
    },
  }
}

/** A station that is enrolled, and cleaned since it has no saved state. */
export function createEnrolledRig(start?: StationState): Rig {
  const rig = createRig(start)
  rig.input({ kind: 'enrolled', stationId: 'pc-01' })
  // Online, so that no event is stored.
  rig.input({ kind: 'linkUp' })
  rig.finish('cleaned')
  rig.input({ kind: 'linkDown' })
  return rig
}

/** The same, connected, and with the server's clock exactly known. */
export function createReadyRig(): Rig {
  const rig = createEnrolledRig()
  rig.input({ kind: 'linkUp' })
  rig.input(clockInput(SERVER_OFFSET_MS))
  rig.drain()
  return rig
}

export const clockInput = (offsetMs: number, takenMs = 0): Input => ({
  kind: 'clockSampled',
  sample: { offsetMs, roundTripMs: 2, takenMs },
})

export interface Grant {
  version: number
  seconds: number
  nowMs: number
  sessionId?: string
  granted?: number
  closesAt?: string
}

/** An `active` document whose session ends `seconds` after `nowMs`. */
export function activeDocument({
  version,
  seconds,
  nowMs,
  sessionId = 's-1',
  granted = seconds,
  closesAt,
}: Grant): Desired {
  return {
    version,
    label: 'Poste 1',
    state: 'active',
    session: {
      id: sessionId,
      displayName: 'Ada',
      grantedSeconds: granted,
      remainingSeconds: seconds,
      endsAt: instantOf(SERVER_OFFSET_MS + nowMs + seconds * 1_000),
      ...(closesAt === undefined ? {} : { closesAt }),
    },
    sentAt: instantOf(SERVER_OFFSET_MS + nowMs),
  }
}

export function suspendedDocument({
  version,
  seconds,
  nowMs,
  sessionId = 's-1',
  granted = seconds,
}: Grant): Desired {
  return {
    version,
    state: 'suspended',
    session: { id: sessionId, displayName: 'Ada', grantedSeconds: granted, remainingSeconds: seconds },
    sentAt: instantOf(SERVER_OFFSET_MS + nowMs),
  }
}

export const lockedDocument = (version: number, nowMs: number): Desired => ({
  version,
  state: 'locked',
  sentAt: instantOf(SERVER_OFFSET_MS + nowMs),
})

export const received = (desired: Desired): Input => ({ kind: 'desiredReceived', desired })
export const kindsOf = (effects: readonly Effect[]) => effects.map(({ kind }) => kind)
