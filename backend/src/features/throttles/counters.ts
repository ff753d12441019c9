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

export interface CounterPorts {
  repository: ThrottleRepository
  hashOfUsername(username: string): string
  clock: Clock
}

export type Throttles = ReturnType<typeof createCounters>

/** Counts failures in the database, so that they survive a restart. */
export function createCounters({ repository, hashOfUsername, clock }: CounterPorts) {
  return {
    /** Stands for a username in a subject. */
    hashOfUsername,

    /** Seconds until the next attempt, by the counter with the longest block; 0 without a block. */
    async waitSeconds(subjects: readonly ThrottleSubject[]): Promise<number> {
      const states = await repository.findAll(subjects.map(throttleKeyOf))
      return Math.max(0, ...states.map((state) => waitSecondsAt(state, clock.nowMs())))
    },
    /** Call inside a write. */
    async countFailure(subjects: readonly ThrottleSubject[]): Promise<void> {
      const states = new Map(
        (await repository.findAll(subjects.map(throttleKeyOf))).map((row) => [row.key, row]),
      )
      for (const subject of subjects) {
        const key = throttleKeyOf(subject)
        const before = states.get(key) ?? idleThrottle
        const state = countFailure(before, clock.nowMs(), throttleRules[subject.kind])
        await repository.save({ ...state, key })
      }
    },
    /** Removes counters that have not changed since an instant: they would start from zero anyway. Call inside a write. */
    removeQuietSince: repository.removeQuietSince,
    /** Call inside a write. */
    async clear(subjects: readonly ThrottleSubject[]): Promise<void> {
      await repository.remove(subjects.map(throttleKeyOf))
    },
  }
}
