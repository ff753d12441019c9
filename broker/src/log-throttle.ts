const INTERVAL_MS = 60_000
const MAX_KEYS = 10_000

/** @returns how many lines of this key were held back since the last one; undefined where this one is held back too */
export type LogThrottle = (key: string) => number | undefined

/** Lets one line per key and minute through. */
export function createLogThrottle(nowMs: () => number): LogThrottle {
  const entries = new Map<string, { sinceMs: number; heldBack: number }>()

  return (key) => {
    const now = nowMs()
    const entry = entries.get(key)
    if (entry && Math.abs(now - entry.sinceMs) < INTERVAL_MS) {
      entry.heldBack += 1
      return undefined
    }
    if (!entry && entries.size >= MAX_KEYS) entries.clear()
    entries.set(key, { sinceMs: now, heldBack: 0 })
    return entry?.heldBack ?? 0
  }
}
