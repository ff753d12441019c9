import { vi } from 'vitest'

/** From here on time moves only as the test says; timers of input and output stay real. */
export function useFakeTime(nowMs = Date.now()): void {
  vi.useFakeTimers({
    now: nowMs,
    toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
  })
}

/** Does something with real timers, and then goes on with the fake ones that were in use, at the time they had. */
export async function withRealTimers(work: () => Promise<unknown>): Promise<void> {
  const fakeNowMs = vi.isFakeTimers() ? Date.now() : undefined
  vi.useRealTimers()
  await work()
  if (fakeNowMs !== undefined) useFakeTime(fakeNowMs)
}

/**
 * A clock that stands still unless a test puts it forward, or follows `Date`, so that fake timers move it. The
 * machine's wall clock is beside it.
 */
export function createTestClock(isFollowingDate: boolean) {
  const startMs = Date.now()
  let aheadMs = 0
  let wallAheadMs = 0
  return {
    clock: {
      nowMs: () => (isFollowingDate ? Date.now() : startMs) + aheadMs,
      wall: {
        aheadMs: () => wallAheadMs,
        shift(byMs: number) {
          aheadMs += byMs
          wallAheadMs -= byMs
        },
      },
    },
    /** Puts the server's clock forward; timers do not notice. */
    advanceClock: (ms: number) => void (aheadMs += ms),
    /** Sets the machine's wall clock, which the server's clock does not follow by itself. */
    stepWallClock: (ms: number) => void (wallAheadMs += ms),
  }
}
