import { SECOND_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from './clock.ts'

/** Longest wait of one timer. Node's limit is 2^31 ms. */
const LONGEST_WAIT_MS = 3_600_000
/** Wait before the next attempt after a failure. */
const RETRY_MS = SECOND_MS

/** Runs one task at a time, in the order of the calls. */
export function createQueue() {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(work: () => T | Promise<T>): Promise<T> => {
    const result = last.then(work)
    // The caller gets the failure; the next task runs anyway.
    last = result.catch(() => undefined)
    return result
  }
}

export interface DueWatch {
  /** Does what is due now and sets the timer for the next. Call it again when any deadlines may have changed. */
  look(): Promise<void>
  /** There is a new deadline, Unix milliseconds: looks then, unless it looks earlier anyway. */
  lookAt(atMs: number): void
  /** Makes {@link stop} wait for this work too. */
  track(work: Promise<void>): Promise<void>
  /** Resolves when no work is running any more. */
  stop(): Promise<void>
}

/**
 * Does work at its deadlines, with one timer for the next deadline.
 * @param doDue does what is due; returns the next deadline (Unix milliseconds), if there is one
 * @param failureMessage is logged when `doDue` fails; it is tried again a second later
 */
export function createDueWatch(
  doDue: () => Promise<number | undefined>,
  failureMessage: string,
  { clock, log }: { clock: Clock; log: Logger },
): DueWatch {
  const underway = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let newest = 0
  /** The earliest deadline known. */
  let soonestMs = Infinity
  let isStopped = false

  async function lookOnce(): Promise<void> {
    const mine = (newest += 1)
    soonestMs = Infinity
    const nextMs = await doDue().catch((err: unknown) => {
      log.error({ err }, failureMessage)
      return clock.nowMs() + RETRY_MS
    })
    // A call that began earlier may end later. Its deadline is out of date, so it must not set the timer.
    if (isStopped || mine !== newest) return
    // A deadline may have come up meanwhile.
    waitUntil(Math.min(nextMs ?? Infinity, soonestMs))
  }

  function waitUntil(atMs: number): void {
    clearTimeout(timer)
    soonestMs = atMs
    if (atMs === Infinity) return
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(0, atMs - clock.nowMs()))
    timer = setTimeout(() => void look(), waitMs)
  }

  function track(work: Promise<void>): Promise<void> {
    underway.add(work)
    return work.finally(() => underway.delete(work))
  }
  const look = () => track(lookOnce())

  return {
    look,
    lookAt(atMs) {
      if (isStopped || atMs >= soonestMs) return
      if (atMs <= clock.nowMs()) void look()
      else waitUntil(atMs)
    },
    track,
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await Promise.all(underway)
    },
  }
}
