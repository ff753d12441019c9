import { instantOf, restApi, type LogPageQuery, type LogQuery } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import { filterOf, windowOf } from '../../db/page-window.ts'
import { FINAL_VERSION } from '../../db/versions.ts'
import { startOfDayMs } from '../../domain/quota.ts'
import { AppError } from '../../errors.ts'
import { serve } from '../../http/endpoints.ts'
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

export interface LogEndpointPorts {
  repository: LogRepository
  timeZone(): string
  clock: Clock
}

export function logEndpoints({ repository, timeZone, clock }: LogEndpointPorts) {
  /** A page and its neighbours show the journal as it was when the first of them was read. */
  async function page(query: LogPageQuery, filter: LogFilter, kept = {}) {
    const window = windowOf(query, columns)
    const upToId = query.upToId ?? (await repository.last())?.id ?? 0
    const { count, rows } = await repository.list({ ...filter, upToId }, window)
    return { count, rows: rows.map(toLog), kept: { ...kept, upToId: String(upToId) } }
  }
  const filterOfLogs = (query: LogQuery): LogFilter => {
    const { search, ...filter } = filterOf(query)
    return { ...filter, ...(search === undefined ? {} : { text: search }) }
  }

  return serve(restApi.logs, {
    list: ({ query }) => page(query, filterOfLogs(query)),
    listRecent: ({ query }) => {
      const { from = instantOf(clock.nowMs() - RECENT_MS) } = query
      return page(query, { ...filterOfLogs(query), from }, { from })
    },
    listErrors: ({ query }) => page(query, { ...filterOfLogs(query), level: 'error' }),
    listOfSession: ({ query }) => page(query, filterOfLogs(query)),
    search: ({ query, body }) => page(query, body),
    stats: async () => {
      const byLevel = await repository.countByLevel()
      return {
        total: Object.values(byLevel).reduce((sum, count) => sum + count, 0),
        today: await repository.countSince(startOfDayMs(clock.nowMs(), timeZone())),
        byLevel,
        byAction: await repository.countByAction(),
      }
    },
    read: async ({ params }) => {
      const row = await repository.find(params.id)
      if (!row) throw new AppError('not-found')
      return { version: FINAL_VERSION, body: toLog(row) }
    },
  })
}
