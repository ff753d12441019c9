import { Type, type Static } from 'typebox'
import { EntityId, Instant, Seconds, closed, oneOf, pageQuery } from './schema.ts'

export const statisticsDimensions = [
  'day',
  'week',
  'month',
  'hour',
  'station',
  'location',
  'ageBand',
  'sex',
  'municipality',
  'occupation',
] as const
export type StatisticsDimension = (typeof statisticsDimensions)[number]

/** One line of a statistic. `key` is empty for unknown values, and `*` for groups too small to be shown alone. */
export const StatisticsRow = closed({
  key: Type.String(),
  persons: Seconds,
  sessions: Seconds,
  startedSessions: Seconds,
  usedSeconds: Seconds,
  averageWaitSeconds: Seconds,
  averageLengthSeconds: Seconds,
})
export type StatisticsRow = Static<typeof StatisticsRow>

export const Statistics = closed({
  by: oneOf(statisticsDimensions),
  from: Instant,
  to: Instant,
  rows: Type.Array(StatisticsRow),
})
export type Statistics = Static<typeof Statistics>

export const reportFormats = ['json', 'csv', 'xlsx', 'html'] as const
export type ReportFormat = (typeof reportFormats)[number]

export const StatisticsQuery = closed({
  by: oneOf(statisticsDimensions, 'day'),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  format: oneOf(reportFormats, 'json'),
})

/** The format of one daily report. */
export const ReportFormatQuery = closed({ format: oneOf(reportFormats, 'json') })

export const reportKinds = ['sessions', 'logs'] as const
export type ReportKind = (typeof reportKinds)[number]

/** A daily report as it was stored. */
export const Report = closed({
  id: EntityId,
  kind: oneOf(reportKinds),
  from: Instant,
  to: Instant,
  createdAt: Instant,
  content: Type.Record(Type.String(), Type.Unknown()),
})
export type Report = Static<typeof Report>

/** `from` and `to` bound the days that reports are about. */
export const ReportQuery = closed({
  ...pageQuery,
  kind: Type.Optional(oneOf(reportKinds)),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
})
export type ReportQuery = Static<typeof ReportQuery>
