import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  EntityId,
  Report,
  ReportPage,
  ReportQuery,
  Statistics,
  StatisticsQuery,
  unixMsOf,
  type Language,
  type ReportFormat,
} from '@escale/protocol'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { FINAL_VERSION, sendVersioned } from '../../http/etag.ts'
import { pageAnswer } from '../../http/page.ts'
import { languageOf } from '../../http/problem.ts'
import { csvOf, htmlOf, sheetOf, xlsxOf } from './formats.ts'
import type { ReportService } from './service.ts'

const config = { access: 'viewer' } as const
const tags = ['rapports']
const XLSX_TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
/** The same figures as a file or a page; sent as it is. */
const Sheet = Type.Unsafe<unknown>(Type.String())

export function reportRoutes(reports: ReportService): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/',
      {
        config,
        schema: { tags, summary: 'Daily reports', querystring: ReportQuery, response: { 200: ReportPage } },
      },
      async (request) => {
        const { page: _page, pageSize: _size, ordering: _order, ...filter } = request.query
        return pageAnswer(request, request.query, await reports.list(filter, request.query))
      },
    )
    app.get(
      '/statistiques',
      {
        config,
        schema: {
          tags,
          summary: 'Counts and hours by one dimension, as JSON, CSV, XLSX or a page to print',
          querystring: StatisticsQuery,
          response: {
            200: {
              content: {
                'application/json': { schema: Type.Unsafe<unknown>(Statistics) },
                'text/csv': { schema: Sheet },
                [XLSX_TYPE]: { schema: Sheet },
                'text/html': { schema: Sheet },
              },
            },
          },
        },
      },
      async (request, reply) => {
        const { by, format, from, to } = request.query
        const span = [from, to].map((at) => (at === undefined ? undefined : unixMsOf(at)))
        const statistics = await reports.statistics(by, ...span)
        return format === 'json' ? statistics : sendSheet(reply, statistics, format, languageOf(request))
      },
    )
    app.get(
      '/:id',
      {
        config,
        schema: {
          tags,
          summary: 'One daily report',
          sendsVersion: true,
          params: Type.Object({ id: EntityId }),
          response: { 200: Report },
        },
      },
      async (request, reply) => sendVersioned(reply, FINAL_VERSION, await reports.get(request.params.id)),
    )
  }
}

async function sendSheet(
  reply: FastifyReply,
  statistics: Statistics,
  format: Exclude<ReportFormat, 'json'>,
  language: Language,
): Promise<FastifyReply> {
  const sheet = sheetOf(statistics, language)
  const [from, to] = [statistics.from.slice(0, 10), statistics.to.slice(0, 10)]
  if (format === 'html') {
    return reply.type('text/html; charset=utf-8').send(htmlOf(sheet, `${from} → ${to}`, language))
  }
  void reply.header(
    'content-disposition',
    `attachment; filename="escale-${statistics.by}-${from}-${to}.${format}"`,
  )
  if (format === 'csv') return reply.type('text/csv; charset=utf-8').send(csvOf(sheet, language))
  return reply.type(XLSX_TYPE).send(await xlsxOf(sheet))
}
