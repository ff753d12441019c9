/** How often something may happen: `burst` times at once, then once each `refillMs`. */
export interface BucketRules {
  burst: number
  refillMs: number
}

/** How many tokens were left at an instant, Unix milliseconds. */
export interface Bucket {
  tokens: number
  atMs: number
}

/** Takes one token if there is one. If the clock was set back, no token is added. */
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
