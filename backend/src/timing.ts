import { SECOND_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from './clock.ts'

/** A timer cannot wait longer than 2^31 ms, and none needs to. */
const LONGEST_WAIT_MS = 3_600_000
/** After a failed attempt to do what is due. */
const RETRY_MS = SECOND_MS

/**
 * What `work` gives, or what `late` makes once `limitMs` have passed. The work itself goes on; should it fail later,
 * nobody hears of it.
 */
export async function within<T, L>(limitMs: number, work: Promise<T>, late: () => L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs)
  })
  try {
    return await Promise.race([work, limit.then(late)])
  } finally {
    clearTimeout(timer)
  }
}

/** Runs one work at a time, in the order asked. */
export type Queue = <T>(work: () => T | Promise<T>) => Promise<T>

export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const result = last.then(work)
    // Whoever asked for it hears of a failure; the next one runs all the same.
    last = result.catch(() => undefined)
    return result
  }
}

export interface DueWatch {
  /** Does what is due now, and waits for what is due next; to be called again when that may have changed. */
  look(): Promise<void>
  /** Lets {@link stop} wait for this work too. */
  track(work: Promise<void>): Promise<void>
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>
}

/**
 * Does things at their instants, with one timer for the next of them.
 * @param doDue does what is due, and gives the instant of what is due next (Unix milliseconds), if there is anything
 * @param what is logged when that fails; it is tried again a second later
 */
export function createDueWatch(
  doDue: () => Promise<number | undefined>,
  what: string,
  { clock, log }: { clock: Clock; log: Logger },
): DueWatch {
  const underway = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let newest = 0
  let isStopped = false

  async function lookOnce(): Promise<void> {
    const mine = (newest += 1)
    const nextMs = await doDue().catch((err: unknown) => {
      log.error({ err }, what)
      return clock.nowMs() + RETRY_MS
    })
    // One that began earlier may end later, and would set the timer by what is no longer true.
    if (isStopped || mine !== newest) return
    clearTimeout(timer)
    if (nextMs === undefined) return
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(0, nextMs - clock.nowMs()))
    timer = setTimeout(() => void look(), waitMs)
  }

  function track(work: Promise<void>): Promise<void> {
    underway.add(work)
    return work.finally(() => underway.delete(work))
  }
  const look = () => track(lookOnce())

  return {
    look,
    track,
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await Promise.all(underway)
    },
  }
}
