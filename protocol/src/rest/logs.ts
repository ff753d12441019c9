import { Type } from 'typebox'
import { Log, LogPage, LogPageQuery, LogQuery, LogSearchInput, LogStats } from '../logs.ts'
import { EntityId, closed } from '../schema.ts'
import { get, post, type Endpoints } from './endpoint.ts'

/** The journal, which is read-only. */
export const logEndpoints = {
  list: get('/api/logs/', 'The journal', { access: 'viewer', query: LogQuery, page: LogPage }),
  listRecent: get('/api/logs/recent/', 'The last 24 hours', {
    access: 'viewer',
    query: LogQuery,
    page: LogPage,
  }),
  listErrors: get('/api/logs/errors/', 'Errors only', { access: 'viewer', query: LogQuery, page: LogPage }),
  listOfSession: get('/api/logs/by_session/', 'What happened in one session', {
    access: 'viewer',
    query: closed({ ...LogQuery.properties, sessionId: EntityId }),
    page: LogPage,
  }),
  search: post('/api/logs/search/', 'Search by several criteria', {
    access: 'viewer',
    query: LogPageQuery,
    body: LogSearchInput,
    page: LogPage,
  }),
  stats: get('/api/logs/stats/', 'Counts', { access: 'viewer', answers: { 200: LogStats } }),
  read: get('/api/logs/{id}/', 'One record', {
    access: 'viewer',
    sendsVersion: true,
    params: closed({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }),
    answers: { 200: Log },
  }),
} as const satisfies Endpoints
