import { restApi, type LogPageQuery, type LogQuery } from '@escale/protocol'
import { filterOf } from '../../db/page-window.ts'
import { FINAL_VERSION } from '../../db/versions.ts'
import { serve } from '../../http/endpoints.ts'
import type { Records } from './records.ts'
import type { LogFilter } from './repository.ts'

export function logEndpoints(records: Records) {
  async function page(query: LogPageQuery, filter: LogFilter, kept = {}) {
    const { upToId, ...rows } = await records.page(query, filter)
    return { ...rows, kept: { ...kept, upToId: String(upToId) } }
  }
  const filterOfLogs = (query: LogQuery): LogFilter => {
    const { search, ...filter } = filterOf(query)
    return { ...filter, ...(search === undefined ? {} : { text: search }) }
  }

  return serve(restApi.logs, {
    list: ({ query }) => page(query, filterOfLogs(query)),
    listRecent: ({ query }) => {
      const { from = records.recentFrom() } = query
      return page(query, { ...filterOfLogs(query), from }, { from })
    },
    listErrors: ({ query }) => page(query, { ...filterOfLogs(query), level: 'error' }),
    listOfSession: ({ query }) => page(query, filterOfLogs(query)),
    search: ({ query, body }) => page(query, body),
    stats: () => records.stats(),
    read: async ({ params }) => ({ version: FINAL_VERSION, body: await records.get(params.id) }),
  })
}
