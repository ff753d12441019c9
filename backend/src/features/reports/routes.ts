import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  EntityId,
  Report,
  ReportFormatQuery,
  ReportPage,
  ReportQuery,
  Statistics,
  StatisticsQuery,
  unixMsOf,
  type Language,
  type ReportFormat,
} from '@escale/protocol'
import type { FastifyReply } from 'fastify'
import { Type, type TSchema } from 'typebox'
import { FINAL_VERSION } from '../../db/versions.ts'
import { sendVersioned } from '../../http/etag.ts'
import { listAnswer } from '../../http/page.ts'
import { languageOf } from '../../http/problem.ts'
import { csvOf, htmlOf, xlsxOf, type Printout } from './formats.ts'
import { printoutOfReport, printoutOfStatistics } from './printouts.ts'
import type { ReportService } from './service.ts'

const config = { access: 'viewer' } as const
const tags = ['rapports']
const XLSX_TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
/** The same figures as a file or a page; sent as it is. */
const Sheet = Type.Unsafe<unknown>(Type.String())
const contentOf = (schema: TSchema) => ({
  'application/json': { schema: Type.Unsafe<unknown>(schema) },
  'text/csv': { schema: Sheet },
  [XLSX_TYPE]: { schema: Sheet },
  'text/html': { schema: Sheet },
})

export function reportRoutes(reports: ReportService): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/',
      {
        config,
        schema: { tags, summary: 'Daily reports', querystring: ReportQuery, response: { 200: ReportPage } },
      },
      (request) => listAnswer(request, reports.list),
    )
    app.get(
      '/statistiques',
      {
        config,
        schema: {
          tags,
          summary: 'Counts and hours by one dimension, as JSON, CSV, XLSX or a page to print',
          querystring: StatisticsQuery,
          response: { 200: { content: contentOf(Statistics) } },
        },
      },
      async (request, reply) => {
        const { by, format, from, to } = request.query
        const span = [from, to].map((at) => (at === undefined ? undefined : unixMsOf(at)))
        const statistics = await reports.statistics(by, ...span)
        if (format === 'json') return statistics
        const language = languageOf(request)
        const printout = printoutOfStatistics(statistics, reports.timeZone(), language)
        return sendPrintout(reply, printout, format, language)
      },
    )
    app.get(
      '/:id',
      {
        config,
        schema: {
          tags,
          summary: 'One daily report, as JSON, CSV, XLSX or a page to print',
          sendsVersion: true,
          params: Type.Object({ id: EntityId }),
          querystring: ReportFormatQuery,
          response: { 200: { content: contentOf(Report) } },
        },
      },
      async (request, reply) => {
        const report = sendVersioned(reply, FINAL_VERSION, await reports.get(request.params.id))
        const { format } = request.query
        if (format === 'json') return report
        const language = languageOf(request)
        return sendPrintout(reply, printoutOfReport(report, reports.timeZone(), language), format, language)
      },
    )
  }
}

async function sendPrintout(
  reply: FastifyReply,
  printout: Printout,
  format: Exclude<ReportFormat, 'json'>,
  language: Language,
): Promise<FastifyReply> {
  if (format === 'html') return reply.type('text/html; charset=utf-8').send(htmlOf(printout, language))
  void reply.header('content-disposition', `attachment; filename="${printout.name}.${format}"`)
  if (format === 'csv') return reply.type('text/csv; charset=utf-8').send(csvOf(printout, language))
  return reply.type(XLSX_TYPE).send(await xlsxOf(printout))
}
