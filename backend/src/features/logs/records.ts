import { instantOf, type Log, type LogPageQuery, type LogStats } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import { windowOf, type Rows } from '../../db/page-window.ts'
import { startOfDayMs } from '../../domain/quota.ts'
import { AppError } from '../../errors.ts'
import { toLog } from './journal.ts'
import type { LogFilter, LogRepository } from './repository.ts'

const columns = {
  id: 'id',
  at: 'atMs',
  action: 'action',
  level: 'level',
  actor: 'actorLabel',
  stationId: 'stationId',
  sessionId: 'sessionId',
  userId: 'userId',
  ip: 'ip',
}
const RECENT_MS = 24 * 3_600_000

export interface RecordPorts {
  repository: LogRepository
  /** The site's, in which a day begins. */
  timeZone(): string
  clock: Clock
}

export type Records = ReturnType<typeof createRecords>

/** Reads the journal. */
export function createRecords({ repository, timeZone, clock }: RecordPorts) {
  return {
    last: repository.last,
    withActionAfter: repository.withActionAfter,
    ofUser: repository.ofUser,
    countWithin: repository.countWithin,

    /** A page, and the newest record of the list, so that new records do not move rows between pages. */
    async page(query: LogPageQuery, filter: LogFilter): Promise<Rows<Log> & { upToId: number }> {
      const window = windowOf(query, columns)
      const upToId = query.upToId ?? (await repository.last())?.id ?? 0
      const { count, rows } = await repository.list({ ...filter, upToId }, window)
      return { count, rows: rows.map(toLog), upToId }
    },

    /** The instant after which a record is recent. */
    recentFrom: () => instantOf(clock.nowMs() - RECENT_MS),

    async get(id: number): Promise<Log> {
      const row = await repository.find(id)
      if (!row) throw new AppError('not-found')
      return toLog(row)
    },

    async stats(): Promise<LogStats> {
      const byLevel = await repository.countByLevel()
      return {
        total: Object.values(byLevel).reduce((sum, count) => sum + count, 0),
        today: await repository.countSince(startOfDayMs(clock.nowMs(), timeZone())),
        byLevel,
        byAction: await repository.countByAction(),
      }
    },
  }
}
