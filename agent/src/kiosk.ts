import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import { createConditions } from './conditions.ts'
import { createBackoff, type BackoffLimits } from './link/backoff.ts'
import type { Kiosk } from './platform/platform.ts'

/** The state of the browser on the station's screen. */
export interface KioskStatus {
  state: 'starting' | 'shown' | 'failed'
  /** Why it failed the last time. */
  reason?: string
}

export interface KioskPorts {
  open: () => Promise<Kiosk>
  /** Whether a page shows the screen. `watchPages` calls its listener when that may have changed. */
  hasPage: () => boolean
  watchPages: (listener: () => void) => void
  /** Reports a fault to the server. False before the station is enrolled: the fault is then not reported. */
  reportFault: (kind: string, error: string) => boolean
  log: Logger
  limits?: KioskLimits
}

export interface KioskLimits {
  /** How long a browser may take to show the page, ms. */
  pageMs: number
  /** How long the page may be absent, for example while it reloads, ms. */
  absentMs: number
  /** A browser that ran for this long is restarted without a longer delay, ms. */
  stableMs: number
  retry: BackoffLimits
}

const LIMITS: KioskLimits = {
  pageMs: 30_000,
  absentMs: 15_000,
  stableMs: 60_000,
  retry: { leastMs: 1_000, mostMs: 60_000 },
}

export interface KioskWatch {
  /** Resolves when a page shows the screen for the first time. */
  shown: Promise<unknown>
  status: () => KioskStatus
  stop: () => void
}

/** Keeps a browser on the station's screen. It counts as shown when its page has connected, not when it was started. */
export function watchKiosk(ports: KioskPorts): KioskWatch {
  const { open, hasPage, watchPages, reportFault, log, limits = LIMITS } = ports
  const aborter = new AbortController()
  const { signal } = aborter
  const isOver = () => signal.aborted
  const backoff = createBackoff(limits.retry)
  const first = Promise.withResolvers<undefined>()
  const conditions = createConditions()
  let status: KioskStatus = { state: 'starting' }
  let reportedReason: string | undefined
  let current: Kiosk | undefined
  watchPages(conditions.check)

  /** Resolves with whether it became true in time. It is also true after `stop`. */
  const becomes = (isTrue: () => boolean, limitMs?: number) =>
    conditions.becomes(() => isTrue() || signal.aborted, limitMs)

  const awaitGone = async (kiosk: Kiosk): Promise<void> => {
    for (;;) {
      await becomes(() => !hasPage())
      if (signal.aborted) return
      // A page that is reloaded is absent for a moment.
      if (!(await becomes(hasPage, kiosk.endReason() === undefined ? limits.absentMs : 0))) return
    }
  }

  const showOnce = async (): Promise<never> => {
    const kiosk = await open()
    current = kiosk
    void kiosk.ended.then(conditions.check)
    const isEnded = () => kiosk.endReason() !== undefined
    try {
      // A browser that ends at once may have passed its page to a browser that already runs.
      const isShown = await becomes(() => hasPage() || isEnded(), limits.pageMs)
      if (!hasPage()) throw new Error(kiosk.endReason() ?? (isShown ? '' : 'it does not show the page'))
      status = { state: 'shown' }
      reportedReason = undefined
      log.info('the kiosk shows the screen')
      first.resolve(undefined)
      const shownAtMs = performance.now()
      await awaitGone(kiosk)
      if (performance.now() - shownAtMs > limits.stableMs) backoff.reset()
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
      // Reported once for each reason, not for every attempt.
      if (reportedReason !== reason && reportFault('kiosk-failed', reason)) reportedReason = reason
      await wait(retryMs, undefined, { signal }).catch(() => undefined)
    }
  }

  void run()
  return {
    shown: first.promise,
    status: () => status,
    stop: () => {
      aborter.abort()
      conditions.check()
      current?.close()
    },
  }
}
