const INTERVAL_MS = 60_000
const MAX_KEYS = 10_000

/** @returns how many lines of this key were suppressed since the last one; undefined if this one is suppressed too */
export type LogThrottle = (key: string) => number | undefined

/** Allows one line per key and minute. */
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
