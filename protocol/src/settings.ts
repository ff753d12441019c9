import { Type, type Static } from 'typebox'
import { DEFAULT_HEARTBEAT_INTERVAL_MS, DEFAULT_MAX_SUSPENDED_MINUTES } from './mqtt/payloads.ts'
import { CalendarDate, Instant, closed, oneOf, replacementOf } from './schema.ts'
import { line, linesOrNothing } from './text.ts'

const OpeningSpan = closed({
  opens: Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$' }),
  /** Before `opens`, it is on the day after; `24:00` is midnight. */
  closes: Type.String({ pattern: '^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$' }),
})
const OpeningSpans = Type.Array(OpeningSpan, { maxItems: 6 })

/** When the site is open, in its own time zone; absent, it always is. */
export const OpeningHours = closed({
  /** Monday first. */
  week: Type.Array(OpeningSpans, { minItems: 7, maxItems: 7 }),
  exceptions: Type.Array(closed({ date: CalendarDate, spans: OpeningSpans }), { maxItems: 366 }),
})
export type OpeningHours = Static<typeof OpeningHours>

const days = (value: number) => Type.Integer({ minimum: 1, maximum: 36_500, default: value })
const minutes = (value: number, maximum: number) => Type.Integer({ minimum: 1, maximum, default: value })

/** Five years: statistics of a site are asked for over this time. */
export const DEFAULT_ARCHIVE_RETENTION_DAYS = 5 * 365

const writableFields = {
  siteName: line(100, { default: 'Escale' }),
  /** IANA name; days begin and end in it. */
  timeZone: line(64, { default: 'Europe/Paris' }),
  language: oneOf(['fr', 'en'] as const, 'fr'),
  /** What a visitor agrees to, and the version that a consent names. */
  terms: linesOrNothing(20_000, { default: '' }),
  termsVersion: line(50, { default: '1' }),
  sessionsPerDay: Type.Integer({ minimum: 1, maximum: 100, default: 3 }),
  isConsentRequired: Type.Boolean({ default: true }),
  areAnonymousPassesAllowed: Type.Boolean({ default: true }),
  codeLifetimeMinutes: minutes(24 * 60, 30 * 24 * 60),
  maxSuspendedMinutes: minutes(DEFAULT_MAX_SUSPENDED_MINUTES, 24 * 60),
  heartbeatIntervalMs: Type.Integer({
    minimum: 1_000,
    maximum: 300_000,
    default: DEFAULT_HEARTBEAT_INTERVAL_MS,
  }),
  openingHours: Type.Optional(OpeningHours),
  /** Stations also play a short tone with each warning; off without it. */
  areWarningsHeard: Type.Optional(Type.Boolean()),
  /** How long ended sessions and the journal are kept, days; the site's data-protection officer decides. */
  sessionRetentionDays: days(365),
  logRetentionDays: days(365),
  /** How long archives are kept, in which nothing leads to a person; without it, {@link DEFAULT_ARCHIVE_RETENTION_DAYS}. */
  archiveRetentionDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 36_500 })),
}

/** What a site chooses. */
export const SiteSettings = closed(writableFields)
export type SiteSettings = Static<typeof SiteSettings>

export const jobNames = [
  'expired_sessions',
  'session_times',
  'session_warnings',
  'old_logs',
  'old_sessions',
  'session_report',
  'log_report',
  'monthly_archive',
  'backup',
] as const
export type JobName = (typeof jobNames)[number]

/** One of the calendar's tasks: when it ran, how that went, when it runs next. */
export const JobStatus = closed({
  name: oneOf(jobNames),
  /** In words, or as a cron pattern in the site's time zone. */
  schedule: Type.String(),
  lastRunAt: Type.Optional(Instant),
  lastOutcome: Type.Optional(oneOf(['done', 'failed'] as const)),
  lastResult: Type.Optional(Type.String()),
  nextRunAt: Type.Optional(Instant),
})
export type JobStatus = Static<typeof JobStatus>

export const SettingsAnswer = closed({ ...writableFields, jobs: Type.Array(JobStatus) })
export type SettingsAnswer = Static<typeof SettingsAnswer>

export const SettingsReplacement = replacementOf(SiteSettings, SettingsAnswer)
