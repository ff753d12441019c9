import { Type } from 'typebox'
import {
  Report,
  ReportFormatQuery,
  ReportPage,
  ReportQuery,
  Statistics,
  StatisticsQuery,
} from '../reports.ts'
import { byId, get, type Endpoints } from './endpoint.ts'

const Sheet = Type.Unsafe<unknown>(Type.String())
/** The same data as a spreadsheet or an HTML page. */
const sheets = {
  'text/csv': Sheet,
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': Sheet,
  'text/html': Sheet,
}

/** Daily reports and statistics. */
export const reportEndpoints = {
  list: get('/api/rapports/', 'Daily reports', { access: 'viewer', query: ReportQuery, page: ReportPage }),
  statistics: get(
    '/api/rapports/statistiques/',
    'Counts and hours by one dimension, as JSON, CSV, XLSX or a page to print',
    { access: 'viewer', query: StatisticsQuery, answers: { 200: Statistics }, files: sheets },
  ),
  read: get('/api/rapports/{id}/', 'One daily report, as JSON, CSV, XLSX or a page to print', {
    access: 'viewer',
    sendsVersion: true,
    params: byId,
    query: ReportFormatQuery,
    answers: { 200: Report },
    files: sheets,
  }),
} as const satisfies Endpoints
