/** How far beyond the time a document's version may be, ms: a day, for clocks that are wrong. */
export const MAX_VERSION_LEAD_MS = 86_400_000

/**
 * Whether a version is one that no server of ours can have given: versions are Unix milliseconds, so one that is more
 * than a day beyond both another known version and the time is a forgery or a fault. Both sides judge by it.
 */
export function isBeyondBelief(version: number, knownVersion: number, nowUnixMs: number): boolean {
  return version > Math.max(knownVersion, nowUnixMs) + MAX_VERSION_LEAD_MS
}
