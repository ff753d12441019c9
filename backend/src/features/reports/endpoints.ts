import { restApi, unixMsOf, type Language, type Report, type ReportFormat } from '@escale/protocol'
import { answerOf } from '../../db/nulls.ts'
import { shown } from '../../db/page-window.ts'
import type { ReportRow } from '../../db/rows.ts'
import { FINAL_VERSION } from '../../db/versions.ts'
import { FileAnswer, serve } from '../../http/endpoints.ts'
import { csvOf, htmlOf, xlsxOf, type Printout } from './formats.ts'
import { printoutOfReport, printoutOfStatistics } from './printouts.ts'
import type { ReportService } from './service.ts'

const XLSX_TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

const toReport = ({ content, ...row }: ReportRow): Report => ({
  ...answerOf(row),
  content: JSON.parse(content) as Report['content'],
})

export const reportEndpoints = (reports: ReportService) =>
  serve(restApi.reports, {
    list: async ({ query }) => shown(await reports.list(query), toReport),
    statistics: async ({ query: { by, format, from, to }, language }) => {
      const [fromMs, toMs] = [from, to].map((at) => (at === undefined ? undefined : unixMsOf(at)))
      const statistics = await reports.statistics(by, fromMs, toMs)
      if (format === 'json') return statistics
      return fileOf(printoutOfStatistics(statistics, reports.timeZone(), language), format, language)
    },
    read: async ({ params, query: { format }, language }) => {
      const report = toReport(await reports.get(params.id))
      if (format === 'json') return { version: FINAL_VERSION, body: report }
      const printout = printoutOfReport(report, reports.timeZone(), language)
      return fileOf(printout, format, language, FINAL_VERSION)
    },
  })

async function fileOf(
  printout: Printout,
  format: Exclude<ReportFormat, 'json'>,
  language: Language,
  version?: number,
): Promise<FileAnswer> {
  const seen = version === undefined ? {} : { version }
  if (format === 'html') return new FileAnswer('text/html; charset=utf-8', htmlOf(printout, language), seen)
  const options = { name: `${printout.name}.${format}`, ...seen }
  if (format === 'csv') return new FileAnswer('text/csv; charset=utf-8', csvOf(printout, language), options)
  return new FileAnswer(XLSX_TYPE, await xlsxOf(printout), options)
}
