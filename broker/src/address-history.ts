import { MINUTE_MS } from '@escale/protocol'

/** How long an address is preferred after its last login, milliseconds: longer than a room is closed over a weekend. */
const PREFERRED_MS = 7 * 24 * 60 * MINUTE_MS
/** Wrong secrets of one address that are answered at once. A badly configured station also tries a few times. */
const FREE_FAILURES = 5
const FIRST_DELAY_MS = 250
/** Shorter than the time for which a station waits for its CONNACK, so that it learns that its secret is wrong. */
const LONGEST_DELAY_MS = 4_000
/** After so long without a wrong secret, earlier ones no longer count. */
const FORGOTTEN_MS = MINUTE_MS
const MAX_ADDRESSES = 10_000

/** What is known about addresses that log in. It is only in memory. */
export function createAddressHistory(nowMs: () => number) {
  const logins = new Map<string, number>()
  const failures = new Map<string, { count: number; atMs: number }>()

  /** Remembers the newest addresses; beyond the limit the oldest is forgotten. */
  function remember<T>(map: Map<string, T>, address: string, value: T) {
    map.delete(address)
    map.set(address, value)
    if (map.size <= MAX_ADDRESSES) return
    const [oldest = ''] = map.keys()
    map.delete(oldest)
  }

  return {
    /** Whether somebody has logged in from this address recently. */
    isPreferred: (address: string) => nowMs() - (logins.get(address) ?? -Infinity) < PREFERRED_MS,
    succeeded: (address: string) => remember(logins, address, nowMs()),
    /**
     * Counts a wrong secret.
     * @returns milliseconds by which its refusal is delayed; a right secret is never delayed
     */
    failed(address: string): number {
      const atMs = nowMs()
      const before = failures.get(address)
      const count = before && Math.abs(atMs - before.atMs) < FORGOTTEN_MS ? before.count + 1 : 1
      remember(failures, address, { count, atMs })
      if (count <= FREE_FAILURES) return 0
      return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (count - FREE_FAILURES - 1))
    },
  }
}
