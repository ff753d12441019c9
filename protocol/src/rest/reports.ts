import { Type } from 'typebox'
import { Report, ReportFormatQuery, ReportQuery, Statistics, StatisticsQuery } from '../reports.ts'
import { byId, viewers } from './define.ts'
import type { Endpoints } from './endpoint.ts'

const Sheet = Type.Unsafe<unknown>(Type.String())
/** The same data as a spreadsheet or an HTML page. */
const sheets = {
  'text/csv': Sheet,
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': Sheet,
  'text/html': Sheet,
}

/** Daily reports and statistics. */
export const reportEndpoints = {
  list: viewers.list('/api/rapports/', 'Daily reports', { query: ReportQuery, item: Report }),
  statistics: viewers.get(
    '/api/rapports/statistiques/',
    'Counts and hours by one dimension, as JSON, CSV, XLSX or a page to print',
    { query: StatisticsQuery, answers: { 200: Statistics }, files: sheets },
  ),
  read: viewers.read('/api/rapports/{id}/', 'One daily report, as JSON, CSV, XLSX or a page to print', {
    params: byId,
    query: ReportFormatQuery,
    answer: Report,
    files: sheets,
  }),
} as const satisfies Endpoints
