import type { User, UserStats } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import { windowOf, type PageQuery, type Rows } from '../../db/page-window.ts'
import { startOfDayMs } from '../../domain/quota.ts'
import type { SessionService } from '../sessions/index.ts'
import type { Settings } from '../settings/index.ts'
import type { UserFilter, UserRepository } from './repository.ts'
import { toUser } from './view.ts'

const columns = {
  id: 'id',
  firstName: 'firstName',
  // As in a phone book: accents and case aside.
  lastName: 'searchText',
  email: 'email',
  phone: 'phone',
  birthDate: 'birthDate',
  sex: 'sex',
  municipality: 'municipality',
  occupation: 'occupation',
  consentGiven: 'consentGiven',
  consentAt: 'consentAtMs',
  consentVersion: 'consentVersion',
  consentRevokedAt: 'consentRevokedAtMs',
  createdAt: 'createdAtMs',
  updatedAt: 'updatedAtMs',
}

export interface UserReadingPorts {
  repository: UserRepository
  sessions: Pick<SessionService, 'countUsersSince'>
  settings: Settings
  clock: Clock
}

export type UserReading = ReturnType<typeof createUserReading>

/** Lists and counts of users. */
export function createUserReading({ repository, sessions, settings, clock }: UserReadingPorts) {
  return {
    async list(filter: UserFilter, query: PageQuery): Promise<Rows<User>> {
      const { count, rows } = await repository.list(filter, windowOf(query, columns))
      return { count, rows: rows.map(toUser) }
    },
    async stats(): Promise<UserStats> {
      const sinceMs = startOfDayMs(clock.nowMs(), settings.current().timeZone)
      return {
        total: await repository.count(),
        withConsent: await repository.count({ consentGiven: true }),
        createdToday: await repository.countCreatedSince(sinceMs),
        withSessionToday: await sessions.countUsersSince(sinceMs),
      }
    },
  }
}
