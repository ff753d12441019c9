import { setTimeout as pause } from 'node:timers/promises'
import { MINUTE_MS, SECOND_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { takeToken, type Bucket, type BucketRules } from '../../domain/rate.ts'
import { systemActor, type Journal } from '../logs/index.ts'

/** What was dropped of a kind is told once a minute, in one line. */
const TELL_MS = MINUTE_MS

/**
 * What one station may cause to be written, by kind: so much at once, and one more each `refillMs`. An honest agent
 * stays far below, one that comes back from weeks without a network included.
 */
const rules = {
  fault: { burst: 60, refillMs: 5 * SECOND_MS },
  staff_call: { burst: 5, refillMs: MINUTE_MS },
  /** Of every kind, since each is remembered; an agent keeps a thousand. Beyond it they wait. */
  event: { burst: 2_000, refillMs: 100 },
  event_gap: { burst: 10, refillMs: MINUTE_MS },
  /** Each answer that changes something is remembered. */
  request: { burst: 600, refillMs: 100 },
  /** Reports that a station has gone; beyond it, the deadline of its silence marks it as gone. */
  absence: { burst: 20, refillMs: 30 * SECOND_MS },
  /** States that are committed at once; the others follow within a second. */
  state: { burst: 60, refillMs: SECOND_MS },
  /** Reported versions above ours, to which ours is raised. */
  version: { burst: 5, refillMs: MINUTE_MS },
  restart: { burst: 10, refillMs: MINUTE_MS },
  enrolment: { burst: 10, refillMs: MINUTE_MS },
} as const satisfies Record<string, BucketRules>

export type RateKind = keyof typeof rules
export type Rates = ReturnType<typeof createRates>

/** Bounds what the secret of one station makes the journal and the database grow by. */
export function createRates(ports: { database: Database; journal: Journal; clock: Clock; log: Logger }) {
  const { database, journal, clock, log } = ports
  const buckets = new Map<string, Bucket>()
  const dropped = new Map<string, { stationId: string; kind: string; count: number }>()
  let timer: NodeJS.Timeout | undefined

  /** Counts what is not taken; the journal has one line for all of it. */
  function drop(stationId: string, kind: string): void {
    const key = `${stationId} ${kind}`
    const known = dropped.get(key) ?? { stationId, kind, count: 0 }
    known.count += 1
    dropped.set(key, known)
    timer ??= setTimeout(() => void tell(), TELL_MS)
  }

  function take(stationId: string, kind: RateKind): boolean {
    const key = `${stationId} ${kind}`
    const { isTaken, bucket } = takeToken(buckets.get(key), rules[kind], clock.nowMs())
    buckets.set(key, bucket)
    return isTaken
  }

  async function tell(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const told = [...dropped.values()]
    dropped.clear()
    if (told.length === 0) return
    try {
      await database.write(async () => {
        for (const { stationId, kind, count } of told) {
          const entry = { action: 'station.messages_dropped', level: 'warning', actor: systemActor } as const
          await journal.append({ ...entry, stationId, details: { kind, dropped: count } })
        }
      })
    } catch (err) {
      log.error({ err }, 'telling what was dropped failed')
    }
  }

  return {
    /** Whether a station may do this now; what it may not is counted. */
    allows(stationId: string, kind: RateKind): boolean {
      const isTaken = take(stationId, kind)
      if (!isTaken) drop(stationId, kind)
      return isTaken
    },

    /** Resolves once a station may do this: what must not be dropped waits, and is acknowledged later. */
    async turn(stationId: string, kind: RateKind): Promise<void> {
      while (!take(stationId, kind)) await pause(rules[kind].refillMs, undefined, { ref: false })
    },

    drop,

    /** Seconds after which the next of a kind is taken. */
    retryAfterSeconds: (kind: RateKind): number => Math.ceil(rules[kind].refillMs / SECOND_MS),

    /** Tells what is left to be told. */
    stop: tell,
  }
}
