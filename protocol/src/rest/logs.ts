import { Type } from 'typebox'
import { Log, LogPage, LogPageQuery, LogQuery, LogSearchInput, LogStats } from '../logs.ts'
import { EntityId, closed } from '../schema.ts'
import type { Endpoints } from './endpoint.ts'

/** The journal: read, never written. */
export const logEndpoints = {
  list: {
    method: 'GET',
    path: '/api/logs/',
    summary: 'The journal',
    access: 'viewer',
    query: LogQuery,
    page: LogPage,
  },
  listRecent: {
    method: 'GET',
    path: '/api/logs/recent/',
    summary: 'The last 24 hours',
    access: 'viewer',
    query: LogQuery,
    page: LogPage,
  },
  listErrors: {
    method: 'GET',
    path: '/api/logs/errors/',
    summary: 'Errors only',
    access: 'viewer',
    query: LogQuery,
    page: LogPage,
  },
  listOfSession: {
    method: 'GET',
    path: '/api/logs/by_session/',
    summary: 'What happened in one session',
    access: 'viewer',
    query: closed({ ...LogQuery.properties, sessionId: EntityId }),
    page: LogPage,
  },
  search: {
    method: 'POST',
    path: '/api/logs/search/',
    summary: 'Search by several criteria',
    access: 'viewer',
    query: LogPageQuery,
    body: LogSearchInput,
    page: LogPage,
  },
  stats: {
    method: 'GET',
    path: '/api/logs/stats/',
    summary: 'Counts',
    access: 'viewer',
    answers: { 200: LogStats },
  },
  read: {
    method: 'GET',
    path: '/api/logs/{id}/',
    summary: 'One record',
    access: 'viewer',
    sendsVersion: true,
    params: closed({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }),
    answers: { 200: Log },
  },
} as const satisfies Endpoints
