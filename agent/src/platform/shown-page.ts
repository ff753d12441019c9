import type { Conditions } from '../conditions.ts'
import type { Platform } from './platform.ts'

/** A browser that starts with the machine may take half a minute. Shorter than the core's limit of a lock, ms. */
const PAGE_LIMIT_MS = 35_000

export interface ShownPage {
  /** Whether a page shows the screen. */
  hasPage: () => boolean
  /** They are checked whenever that may have changed. */
  pages: Conditions
}

/** A platform whose station is only locked while a page shows the lock. */
export function lockedByPage(
  platform: Platform,
  { hasPage, pages }: ShownPage,
  limitMs = PAGE_LIMIT_MS,
): Platform {
  return {
    ...platform,
    lock: async (signal) => {
      await platform.lock(signal)
      signal.addEventListener('abort', pages.check, { once: true })
      await pages.becomes(() => hasPage() || signal.aborted, limitMs)
      signal.removeEventListener('abort', pages.check)
      signal.throwIfAborted()
      if (!hasPage()) throw new Error('no page shows the lock')
    },
  }
}
