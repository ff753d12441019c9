import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  EntityId,
  Log,
  LogPage,
  LogPageQuery,
  LogQuery,
  LogSearchInput,
  LogStats,
  closed,
  instantOf,
  type SiteSettings,
} from '@escale/protocol'
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Clock } from '../../clock.ts'
import { startOfDayMs } from '../../domain/quota.ts'
import { AppError } from '../../errors.ts'
import { FINAL_VERSION } from '../../db/versions.ts'
import { sendVersioned } from '../../http/etag.ts'
import { filterOf, windowOf } from '../../db/page-window.ts'
import { pageAnswer } from '../../http/page.ts'
import { toLog } from './journal.ts'
import type { LogFilter, LogRepository } from './repository.ts'

const config = { access: 'viewer' } as const
const tags = ['logs']
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

export function logRoutes(
  repository: LogRepository,
  settings: { current(): Pick<SiteSettings, 'timeZone'> },
  clock: Clock,
): FastifyPluginAsyncTypebox {
  /** Neighbours of a page are of the journal as it was: what is written meanwhile moves no row to another page. */
  const answer = async (request: FastifyRequest, query: LogPageQuery, filter: LogFilter, kept = {}) => {
    const window = windowOf(query, columns)
    const upToId = query.upToId ?? (await repository.last())?.id ?? 0
    const rows = await repository.list({ ...filter, upToId }, window)
    return pageAnswer(request, query, rows, toLog, { ...kept, upToId: String(upToId) })
  }
  const filterOfLogs = (query: LogQuery): LogFilter => {
    const { search, ...filter } = filterOf(query)
    return { ...filter, ...(search === undefined ? {} : { text: search }) }
  }
  const listed = { response: { 200: LogPage } }

  return async (app) => {
    app.get(
      '/',
      { config, schema: { tags, summary: 'The journal', querystring: LogQuery, ...listed } },
      (request) => answer(request, request.query, filterOfLogs(request.query)),
    )
    app.get(
      '/recent',
      { config, schema: { tags, summary: 'The last 24 hours', querystring: LogQuery, ...listed } },
      (request) => {
        const { from = instantOf(clock.nowMs() - RECENT_MS) } = request.query
        return answer(request, request.query, { ...filterOfLogs(request.query), from }, { from })
      },
    )
    app.get(
      '/errors',
      { config, schema: { tags, summary: 'Errors only', querystring: LogQuery, ...listed } },
      (request) => answer(request, request.query, { ...filterOfLogs(request.query), level: 'error' }),
    )
    app.get(
      '/by_session',
      {
        config,
        schema: {
          tags,
          summary: 'What happened in one session',
          querystring: closed({ ...LogQuery.properties, sessionId: EntityId }),
          ...listed,
        },
      },
      (request) => answer(request, request.query, filterOfLogs(request.query)),
    )
    app.post(
      '/search',
      {
        config,
        schema: {
          tags,
          summary: 'Search by several criteria',
          body: LogSearchInput,
          querystring: LogPageQuery,
          ...listed,
        },
      },
      (request) => answer(request, request.query, request.body),
    )
    app.get(
      '/stats',
      { config, schema: { tags, summary: 'Counts', response: { 200: LogStats } } },
      async () => {
        const byLevel = await repository.countByLevel()
        const startMs = startOfDayMs(clock.nowMs(), settings.current().timeZone)
        return {
          total: Object.values(byLevel).reduce((sum, count) => sum + count, 0),
          today: await repository.countSince(startMs),
          byLevel,
          byAction: await repository.countByAction(),
        }
      },
    )
    app.get(
      '/:id',
      {
        config,
        schema: {
          tags,
          summary: 'One record',
          sendsVersion: true,
          params: Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }),
          response: { 200: Log },
        },
      },
      async (request, reply) => {
        const row = await repository.find(request.params.id)
        if (!row) throw new AppError('not-found')
        return sendVersioned(reply, FINAL_VERSION, toLog(row))
      },
    )
  }
}
