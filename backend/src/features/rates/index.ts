import { setTimeout as pause } from 'node:timers/promises'
import { MINUTE_MS, SECOND_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { takeToken, type Bucket, type BucketRules } from '../../domain/rate.ts'
import type { Feature } from '../feature.ts'
import { systemActor, type Journal } from '../logs/index.ts'

/** Messages that were dropped get one record a minute for each kind. */
const RECORD_EVERY_MS = MINUTE_MS

/**
 * How much one station may cause to be written, by kind: `burst` at once, and one more each `refillMs`. An honest agent
 * stays far below, even when it returns from weeks without a network.
 */
const rules = {
  fault: { burst: 60, refillMs: 5 * SECOND_MS },
  staff_call: { burst: 5, refillMs: MINUTE_MS },
  /** Events of all kinds: each is remembered. An agent keeps a thousand. Those beyond the rate wait. */
  event: { burst: 2_000, refillMs: 100 },
  event_gap: { burst: 10, refillMs: MINUTE_MS },
  /** Each answer that changes something is remembered. */
  request: { burst: 600, refillMs: 100 },
  /** Reports that a station has gone. Without them, its silence marks it as gone a little later. */
  absence: { burst: 20, refillMs: 30 * SECOND_MS },
  /** States that are written at once; those beyond the rate are written within a second. */
  state: { burst: 60, refillMs: SECOND_MS },
  /** Reports of a document version above ours, after which ours is raised to it. */
  version: { burst: 5, refillMs: MINUTE_MS },
  restart: { burst: 10, refillMs: MINUTE_MS },
  enrolment: { burst: 10, refillMs: MINUTE_MS },
} as const satisfies Record<string, BucketRules>

export type RateKind = keyof typeof rules
export type Rates = ReturnType<typeof createRates>['service']

/** Limits how much one station can make the journal and the database grow. */
export function createRates(ports: { database: Database; journal: Journal; clock: Clock; log: Logger }) {
  const { database, journal, clock, log } = ports
  const buckets = new Map<string, Bucket>()
  const dropped = new Map<string, { stationId: string; kind: string; count: number }>()
  let timer: NodeJS.Timeout | undefined

  /** Counts a message that is not taken; the journal gets one record for many. */
  function drop(stationId: string, kind: string): void {
    const key = `${stationId} ${kind}`
    const known = dropped.get(key) ?? { stationId, kind, count: 0 }
    known.count += 1
    dropped.set(key, known)
    timer ??= setTimeout(() => void recordDropped(), RECORD_EVERY_MS)
  }

  function take(stationId: string, kind: RateKind): boolean {
    const key = `${stationId} ${kind}`
    const { isTaken, bucket } = takeToken(buckets.get(key), rules[kind], clock.nowMs())
    buckets.set(key, bucket)
    return isTaken
  }

  async function recordDropped(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const due = [...dropped.values()]
    dropped.clear()
    if (due.length === 0) return
    try {
      await database.write(async () => {
        for (const { stationId, kind, count } of due) {
          const entry = { action: 'station.messages_dropped', level: 'warning', actor: systemActor } as const
          await journal.append({ ...entry, stationId, details: { kind, dropped: count } })
        }
      })
    } catch (err) {
      log.error({ err }, 'recording dropped messages failed')
    }
  }

  const service = {
    /** Whether a station may do this now; if not, it is counted as dropped. */
    allows(stationId: string, kind: RateKind): boolean {
      const isTaken = take(stationId, kind)
      if (!isTaken) drop(stationId, kind)
      return isTaken
    },

    /** Resolves once a station may do this. For messages that must not be dropped: they are acknowledged later. */
    async turn(stationId: string, kind: RateKind): Promise<void> {
      while (!take(stationId, kind)) await pause(rules[kind].refillMs, undefined, { ref: false })
    },

    drop,

    /** Seconds after which the next of a kind is taken. */
    retryAfterSeconds: (kind: RateKind): number => Math.ceil(rules[kind].refillMs / SECOND_MS),
  }
  /** Writes the records that are still due. */
  return { service, stop: recordDropped } satisfies Feature
}
