import { Type } from 'typebox'
import { Log, LogPageQuery, LogQuery, LogSearchInput, LogStats } from '../logs.ts'
import { EntityId, closed, pageOf } from '../schema.ts'
import { viewers } from './define.ts'
import type { Endpoints } from './endpoint.ts'

/** The journal, which is read-only. */
export const logEndpoints = {
  list: viewers.list('/api/logs/', 'The journal', { query: LogQuery, item: Log }),
  listRecent: viewers.list('/api/logs/recent/', 'The last 24 hours', { query: LogQuery, item: Log }),
  listErrors: viewers.list('/api/logs/errors/', 'Errors only', { query: LogQuery, item: Log }),
  listOfSession: viewers.list('/api/logs/by_session/', 'What happened in one session', {
    query: closed({ ...LogQuery.properties, sessionId: EntityId }),
    item: Log,
  }),
  search: viewers.post('/api/logs/search/', 'Search by several criteria', {
    query: LogPageQuery,
    body: LogSearchInput,
    page: pageOf(Log),
  }),
  stats: viewers.get('/api/logs/stats/', 'Counts', { answers: { 200: LogStats } }),
  read: viewers.read('/api/logs/{id}/', 'One record', {
    params: closed({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }),
    answer: Log,
  }),
} as const satisfies Endpoints
