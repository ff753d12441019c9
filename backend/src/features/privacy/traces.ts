import type { Clock } from '../../clock.ts'
import type { UserRow } from '../../db/rows.ts'
import { searchOf, type PersonSearch } from '../../domain/person.ts'
import { SMALLEST_CELL_PERSONS } from '../../domain/statistics.ts'
import type { PrivacyRepository } from './repository.ts'

export type Traces = ReturnType<typeof createTraces>

/** Texts about a person outside their own row. */
export function createTraces(repository: PrivacyRepository, clock: Clock) {
  /** How to find texts that name the person. */
  const search = async (user: UserRow): Promise<PersonSearch> =>
    searchOf(user, { isFirstNameUnique: !(await repository.isFirstNameShared(user)) })

  return {
    searchOf: search,
    /**
     * Removes every text that names the person, or that is about a station while they used it. Call it inside the write
     * that removes the person.
     * @returns the ids of their sessions
     */
    async remove(user: UserRow): Promise<string[]> {
      const theirs = await repository.sessionsOf(user.id)
      await repository.removeTexts(user.id, theirs, await search(user), clock.nowMs())
      await repository.blurProfiles(user.id, SMALLEST_CELL_PERSONS)
      return theirs.map(({ id }) => id)
    },
  }
}
