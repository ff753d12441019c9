import type { ErasureProof } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { UserRow } from '../../db/rows.ts'
import { searchOf, visitsOf, type PersonSearch, type Visitor } from '../../domain/person.ts'
import { SMALLEST_CELL_PERSONS } from '../../domain/statistics.ts'
import type { RecordTexts } from '../logs/index.ts'
import type { PastSessions } from '../sessions/index.ts'
import type { UserRepository } from '../users/index.ts'

/** A feature that keeps texts, some of which may be about a person. */
interface TextHolder {
  /** Removes texts that name a person, or are about a station while they used it. */
  removeTexts(visitor: Visitor): Promise<void>
  countNaming(search: PersonSearch): Promise<number>
}

export interface TracePorts {
  users: Pick<UserRepository, 'find' | 'isFirstNameShared'>
  sessions: Pick<PastSessions, 'ofUser' | 'blurProfiles'>
  logs: RecordTexts
  commands: TextHolder
  calls: TextHolder
  clock: Clock
}

export type Traces = ReturnType<typeof createTraces>

/** What other features hold of a person. Each removes its own part. */
export function createTraces({ users, sessions, logs, commands, calls, clock }: TracePorts) {
  /** How to find texts that name the person. */
  const search = async (user: UserRow): Promise<PersonSearch> =>
    searchOf(user, { isFirstNameUnique: !(await users.isFirstNameShared(user)) })

  return {
    searchOf: search,
    /**
     * Removes every text that names the person, or that is about a station while they used it. Call it inside the write
     * that removes the person.
     * @returns the ids of their sessions
     */
    async remove(user: UserRow): Promise<string[]> {
      const theirs = await sessions.ofUser(user.id)
      const sessionIds = theirs.map(({ id }) => id)
      const visits = visitsOf(theirs, clock.nowMs())
      const visitor = { userId: user.id, search: await search(user), sessionIds, visits }
      for (const holder of [logs, commands, calls]) await holder.removeTexts(visitor)
      await sessions.blurProfiles(user.id, SMALLEST_CELL_PERSONS)
      return sessionIds
    },

    /** What is left of a person: rows that point to them, and rows that name them. */
    async left({ id }: UserRow, named: PersonSearch): Promise<Omit<ErasureProof['left'], 'photos'>> {
      return {
        users: (await users.find(id)) ? 1 : 0,
        sessions: (await sessions.ofUser(id)).length,
        commands: await commands.countNaming(named),
        calls: await calls.countNaming(named),
        logsNaming: await logs.countNaming(named),
        /** The journal keeps the user's id, which no longer identifies anybody. */
        logsWithIdOnly: await logs.countOfUser(id),
      }
    },
  }
}
