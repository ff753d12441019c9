/** How often something may happen: `burst` times at once, then once each `refillMs`. */
export interface BucketRules {
  burst: number
  refillMs: number
}

/** What is left of a burst, as of an instant in Unix milliseconds. */
export interface Bucket {
  tokens: number
  atMs: number
}

/** Takes one token if there is one. A clock that was set back refills nothing. */
export function takeToken(
  bucket: Bucket | undefined,
  { burst, refillMs }: BucketRules,
  nowMs: number,
): { isTaken: boolean; bucket: Bucket } {
  const refilled = bucket === undefined ? burst : bucket.tokens + Math.max(0, nowMs - bucket.atMs) / refillMs
  const tokens = Math.min(burst, refilled)
  const isTaken = tokens >= 1
  return { isTaken, bucket: { tokens: isTaken ? tokens - 1 : tokens, atMs: nowMs } }
}
