import { randomUUID } from 'node:crypto'
import {
  DAY_MS,
  instantOf,
  type Report,
  type ReportKind,
  type Statistics,
  type StatisticsDimension,
} from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { ReportRow } from '../../db/rows.ts'
import { startOfDayMs } from '../../domain/quota.ts'
import { createTally } from '../../domain/statistics.ts'
import { AppError } from '../../errors.ts'
import { windowOf, type PageQuery, type Rows } from '../../db/page-window.ts'
import type { Settings } from '../settings/index.ts'
import type { ReportFilter, ReportRepository } from './repository.ts'

const columns = { from: 'fromMs', to: 'toMs', createdAt: 'createdAtMs', kind: 'kind' }

export interface ReportServicePorts {
  database: Database
  repository: ReportRepository
  settings: Settings
  clock: Clock
}

export type ReportService = ReturnType<typeof createReportService>

/** Statistics on demand, and the daily reports that the calendar stores. */
export function createReportService({ database, repository, settings, clock }: ReportServicePorts) {
  const timeZone = () => settings.current().timeZone

  async function contentOf(kind: ReportKind, fromMs: number, toMs: number): Promise<Record<string, unknown>> {
    if (kind === 'logs') {
      const byAction = await repository.countLogs('action', fromMs, toMs)
      return { byAction, byLevel: await repository.countLogs('level', fromMs, toMs) }
    }
    const [total, byStation, byHour] = await counted(['day', 'station', 'hour'], fromMs, toMs)
    return { total, byStation, byHour, endReasons: await repository.countEndReasons(fromMs, toMs) }
  }

  /** Counts by several dimensions at once, so that the span is read only once. */
  async function counted(dimensions: StatisticsDimension[], fromMs: number, toMs: number) {
    const tallies = dimensions.map((dimension) => createTally(dimension, timeZone()))
    for await (const facts of repository.facts(fromMs, toMs)) {
      for (const tally of tallies) facts.forEach(tally.add)
    }
    return tallies.map((tally) => tally.rows())
  }

  return {
    /** The site's time zone, in which days begin and end. */
    timeZone,

    /** Counts and hours by one dimension; of the last 30 days when no span is given. */
    async statistics(by: StatisticsDimension, fromMs?: number, toMs?: number): Promise<Statistics> {
      const endMs = toMs ?? clock.nowMs()
      const startMs = fromMs ?? startOfDayMs(endMs - 30 * DAY_MS, timeZone())
      const [rows = []] = await counted([by], startMs, endMs)
      return { by, from: instantOf(startMs), to: instantOf(endMs), rows }
    },

    /** Makes and stores the report of the day before `nowMs`; @returns its id */
    async reportYesterday(kind: ReportKind, nowMs: number): Promise<string> {
      const toMs = startOfDayMs(nowMs, timeZone())
      const fromMs = startOfDayMs(toMs - 1, timeZone())
      const content = JSON.stringify(await contentOf(kind, fromMs, toMs))
      const row: ReportRow = { id: randomUUID(), kind, fromMs, toMs, createdAtMs: nowMs, content }
      await database.write(() => repository.save(row))
      return row.id
    },

    async list(filter: ReportFilter, query: PageQuery): Promise<Rows<Report>> {
      const { count, rows } = await repository.list(filter, windowOf(query, columns))
      return { count, rows: rows.map(toReport) }
    },

    async get(id: string): Promise<Report> {
      const row = await repository.find(id)
      if (!row) throw new AppError('not-found')
      return toReport(row)
    },
  }
}

function toReport({ id, kind, fromMs, toMs, createdAtMs, content }: ReportRow): Report {
  return {
    id,
    kind,
    from: instantOf(fromMs),
    to: instantOf(toMs),
    createdAt: instantOf(createdAtMs),
    content: JSON.parse(content) as Report['content'],
  }
}
