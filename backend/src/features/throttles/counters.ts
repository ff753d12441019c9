import type { Clock } from '../../clock.ts'
import {
  countFailure,
  idleThrottle,
  throttleKeyOf,
  throttleRules,
  waitSecondsAt,
  type ThrottleSubject,
} from '../../domain/throttle.ts'
import type { ThrottleRepository } from './repository.ts'

export type Throttles = ReturnType<typeof createThrottles>

/** Counters of failures that survive a restart. */
export function createThrottles(repository: ThrottleRepository, clock: Clock) {
  const stateOf = async (key: string) => (await repository.find(key)) ?? idleThrottle
  return {
    /** Seconds until the next try, the longest of the counters; 0 when it may be made now. */
    async waitSeconds(subjects: readonly ThrottleSubject[]): Promise<number> {
      let seconds = 0
      for (const subject of subjects) {
        const state = await stateOf(throttleKeyOf(subject))
        seconds = Math.max(seconds, waitSecondsAt(state, clock.nowMs()))
      }
      return seconds
    },
    /** Call inside a write. */
    async countFailure(subjects: readonly ThrottleSubject[]): Promise<void> {
      for (const subject of subjects) {
        const key = throttleKeyOf(subject)
        const state = countFailure(await stateOf(key), clock.nowMs(), throttleRules[subject.kind])
        await repository.save({ key, ...state })
      }
    },
    /** Call inside a write. */
    async clear(subjects: readonly ThrottleSubject[]): Promise<void> {
      await repository.remove(subjects.map(throttleKeyOf))
    },
  }
}
