import { randomUUID } from 'node:crypto'
import {
  DAY_MS,
  instantOf,
  type ReportKind,
  type Statistics,
  type StatisticsDimension,
} from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { ReportRow } from '../../db/rows.ts'
import { startOfDayMs } from '../../domain/quota.ts'
import { createTally } from '../../domain/statistics.ts'
import type { Records } from '../logs/index.ts'
import type { PastSessions } from '../sessions/index.ts'
import type { Settings } from '../settings/index.ts'
import type { ReportRepository } from './repository.ts'

export interface ReportServicePorts {
  database: Database
  repository: ReportRepository
  sessions: Pick<PastSessions, 'facts' | 'countEndReasons'>
  logs: Pick<Records, 'countWithin'>
  settings: Settings
  clock: Clock
}

export type ReportService = ReturnType<typeof createReportService>

/** Statistics on demand, and the daily reports that the calendar stores. */
export function createReportService(ports: ReportServicePorts) {
  const { database, repository, sessions, logs, settings, clock } = ports
  const timeZone = () => settings.current().timeZone

  async function contentOf(kind: ReportKind, fromMs: number, toMs: number): Promise<Record<string, unknown>> {
    if (kind === 'logs') {
      const byAction = await logs.countWithin('action', fromMs, toMs)
      return { byAction, byLevel: await logs.countWithin('level', fromMs, toMs) }
    }
    const [total, byStation, byHour] = await counted(['day', 'station', 'hour'], fromMs, toMs)
    return { total, byStation, byHour, endReasons: await sessions.countEndReasons(fromMs, toMs) }
  }

  /** Counts by several dimensions at once, so that the span is read only once. */
  async function counted(dimensions: StatisticsDimension[], fromMs: number, toMs: number) {
    const tallies = dimensions.map((dimension) => createTally(dimension, timeZone()))
    for await (const facts of sessions.facts(fromMs, toMs)) {
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

    list: repository.list,
    get: repository.get,
  }
}
