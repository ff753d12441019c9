import type { Clock } from '../../clock.ts'
import { countFailure, idleThrottle, waitSecondsAt, type ThrottleRules } from '../../domain/throttle.ts'
import type { ThrottleRepository } from './repository.ts'

export { createThrottleRepository } from './repository.ts'

/** One counter: what it counts, and by which rules. */
export interface ThrottleCounter {
  key: string
  rules: ThrottleRules
}

export type Throttles = ReturnType<typeof createThrottles>

/** Counters of failures that survive a restart; an operator lifts one by clearing it. */
export function createThrottles(repository: ThrottleRepository, clock: Clock) {
  const stateOf = async ({ key }: ThrottleCounter) => (await repository.find(key)) ?? idleThrottle
  return {
    /** Seconds until the next try, the longest of the counters; 0 when it may be made now. */
    async waitSeconds(counters: ThrottleCounter[]): Promise<number> {
      let seconds = 0
      for (const counter of counters)
        seconds = Math.max(seconds, waitSecondsAt(await stateOf(counter), clock.nowMs()))
      return seconds
    },
    /** Call inside a write. */
    async countFailure(counters: ThrottleCounter[]): Promise<void> {
      for (const counter of counters) {
        const state = countFailure(await stateOf(counter), clock.nowMs(), counter.rules)
        await repository.save({ key: counter.key, ...state })
      }
    },
    /** Call inside a write. */
    async clear(counters: Pick<ThrottleCounter, 'key'>[]): Promise<void> {
      await repository.remove(counters.map(({ key }) => key))
    },
  }
}
