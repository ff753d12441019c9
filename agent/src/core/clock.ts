import { SECOND_MS } from '@escale/protocol'

/** A round trip longer than this says too little about the server's clock. */
export const MAX_ROUND_TRIP_MS = SECOND_MS
/** Two estimates further apart than this mean that the server's wall clock was set, not that ours drifted. */
export const CLOCK_STEP_MS = 2 * SECOND_MS
/** How far two quartz clocks may drift apart, as a share of the time passed. */
const DRIFT_SHARE = 1e-4
const MAX_SAMPLES = 16

/** One answered `time` request; `offsetMs` is the server's Unix milliseconds minus our monotonic clock. */
export interface ClockSample {
  offsetMs: number
  roundTripMs: number
  takenMs: number
}

/** Our estimate of the server's clock: the recent samples, and the offset of the best one. */
export interface ServerClock {
  offsetMs: number
  samples: readonly ClockSample[]
}

export interface TimeExchange {
  /** Our monotonic clock, ms, at sending and at arrival of the answer. */
  sentMs: number
  arrivedMs: number
  /** The server's Unix ms when it received the request and when it sent the answer. */
  serverReceivedMs: number
  serverSentMs: number
}

/**
 * Offset and round trip of one exchange, without the time that the server took to answer.
 * Source: RFC 5905 section 8 (on-wire protocol).
 */
export function sampleOf(exchange: TimeExchange): ClockSample {
  const { sentMs, arrivedMs, serverReceivedMs, serverSentMs } = exchange
  return {
    offsetMs: (serverReceivedMs - sentMs + (serverSentMs - arrivedMs)) / 2,
    roundTripMs: Math.max(0, arrivedMs - sentMs - (serverSentMs - serverReceivedMs)),
    takenMs: arrivedMs,
  }
}

export type ClockChange =
  | { kind: 'dropped' }
  | { kind: 'updated'; clock: ServerClock }
  /** The server's wall clock was set: instants received before belong to the old setting. */
  | { kind: 'stepped'; clock: ServerClock }

/**
 * Adds a sample. The sample with the smallest possible error wins: half its round trip plus the drift since then.
 * Samples with a round trip of more than one second are dropped.
 */
export function withSample(clock: ServerClock | undefined, sample: ClockSample): ClockChange {
  if (sample.roundTripMs > MAX_ROUND_TRIP_MS) return { kind: 'dropped' }
  if (clock !== undefined && Math.abs(sample.offsetMs - clock.offsetMs) > CLOCK_STEP_MS) {
    return { kind: 'stepped', clock: { offsetMs: sample.offsetMs, samples: [sample] } }
  }
  const samples = [...(clock?.samples ?? []), sample].slice(-MAX_SAMPLES)
  const errorMs = (s: ClockSample) => s.roundTripMs / 2 + (sample.takenMs - s.takenMs) * DRIFT_SHARE
  const best = samples.reduce((a, b) => (errorMs(b) < errorMs(a) ? b : a))
  return { kind: 'updated', clock: { offsetMs: best.offsetMs, samples } }
}
