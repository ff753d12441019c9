import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import { createConditions } from './conditions.ts'
import { createBackoff, type BackoffLimits } from './link/backoff.ts'
import type { Kiosk } from './platform/platform.ts'

/** How the browser on the station's screen is. */
export interface KioskStatus {
  state: 'starting' | 'shown' | 'failed'
  /** Why it failed last. */
  reason?: string
}

export interface KioskPorts {
  open: () => Promise<Kiosk>
  /** Whether a page shows the screen; `watchPages` tells when that may have changed. */
  hasPage: () => boolean
  watchPages: (listener: () => void) => void
  /** Whether the fault will reach the server; false before the station is enrolled. */
  reportFault: (kind: string, error: string) => boolean
  log: Logger
  limits?: KioskLimits
}

export interface KioskLimits {
  /** How long a browser may take to show the page, and a page may be away, ms. */
  pageMs: number
  goneMs: number
  /** One that lasted this long starts anew without delay. */
  soundMs: number
  retry: BackoffLimits
}

const LIMITS: KioskLimits = {
  pageMs: 30_000,
  goneMs: 15_000,
  soundMs: 60_000,
  retry: { leastMs: 1_000, mostMs: 60_000 },
}

export interface KioskWatch {
  /** Resolves once a page shows the screen for the first time. */
  shown: Promise<unknown>
  status: () => KioskStatus
  stop: () => void
}

/** Keeps a browser on the station's screen: what counts is that its page has come, not that it was started. */
export function watchKiosk(ports: KioskPorts): KioskWatch {
  const { open, hasPage, watchPages, reportFault, log, limits = LIMITS } = ports
  const aborter = new AbortController()
  const { signal } = aborter
  const isOver = () => signal.aborted
  const backoff = createBackoff(limits.retry)
  const first = Promise.withResolvers<undefined>()
  const conditions = createConditions()
  let status: KioskStatus = { state: 'starting' }
  let toldReason: string | undefined
  let current: Kiosk | undefined
  watchPages(conditions.look)

  /** Resolves with whether it became true in time; true as well once this watch is stopped. */
  const becomes = (isTrue: () => boolean, limitMs?: number) =>
    conditions.becomes(() => isTrue() || signal.aborted, limitMs)

  const awaitGone = async (kiosk: Kiosk): Promise<void> => {
    for (;;) {
      await becomes(() => !hasPage())
      if (signal.aborted) return
      // A page that is loaded anew is away for a moment.
      if (!(await becomes(hasPage, kiosk.endReason() === undefined ? limits.goneMs : 0))) return
    }
  }

  const showOnce = async (): Promise<never> => {
    const kiosk = await open()
    current = kiosk
    void kiosk.ended.then(conditions.look)
    const isEnded = () => kiosk.endReason() !== undefined
    try {
      // One that ends at once may have handed its page to another that runs already.
      const isShown = await becomes(() => hasPage() || isEnded(), limits.pageMs)
      if (!hasPage()) throw new Error(kiosk.endReason() ?? (isShown ? '' : 'it does not show the page'))
      status = { state: 'shown' }
      toldReason = undefined
      log.info('the kiosk shows the screen')
      first.resolve(undefined)
      const shownAtMs = performance.now()
      await awaitGone(kiosk)
      if (performance.now() - shownAtMs > limits.soundMs) backoff.reset()
      throw new Error(kiosk.endReason() ?? 'its page is gone')
    } finally {
      kiosk.close()
    }
  }

  const run = async () => {
    while (!isOver()) {
      const reason = await showOnce().catch((err: unknown) =>
        err instanceof Error ? err.message : String(err),
      )
      if (isOver()) return
      const retryMs = backoff.nextMs()
      status = { state: 'failed', reason }
      log.error({ reason, retryMs }, 'the kiosk does not show the screen, starting it again')
      // Once for each reason: the server need not hear of every attempt.
      if (toldReason !== reason && reportFault('kiosk-failed', reason)) toldReason = reason
      await wait(retryMs, undefined, { signal }).catch(() => undefined)
    }
  }

  void run()
  return {
    shown: first.promise,
    status: () => status,
    stop: () => {
      aborter.abort()
      conditions.look()
      current?.close()
    },
  }
}
