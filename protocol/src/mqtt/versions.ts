import { DAY_MS } from '../time.ts'

/** How far a document's version may be ahead of the time, in ms: one day, because clocks may be wrong. */
export const MAX_VERSION_LEAD_MS = DAY_MS

/**
 * Whether no server can have given a version. Versions are Unix milliseconds, so a version more than a day beyond both
 * another known version and the time is forged or wrong. Server and agent both use this.
 */
export function isImplausibleVersion(version: number, knownVersion: number, nowUnixMs: number): boolean {
  return version > Math.max(knownVersion, nowUnixMs) + MAX_VERSION_LEAD_MS
}
