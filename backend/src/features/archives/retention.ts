import { DAY_MS, DEFAULT_ARCHIVE_RETENTION_DAYS } from '@escale/protocol'
import { Temporal } from 'temporal-polyfill'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { OldRecords } from '../logs/index.ts'
import type { PastSessions } from '../sessions/index.ts'
import type { Settings } from '../settings/index.ts'
import type { Throttles } from '../throttles/index.ts'
import type { ArchiveFiles } from './files.ts'

const MESSAGE_DAYS = 30

export interface RetentionPorts {
  database: Database
  archives: ArchiveFiles
  sessions: Pick<PastSessions, 'endedWithin' | 'endedBefore' | 'countEndedBefore' | 'removeEndedBefore'>
  logs: OldRecords
  /** Messages are remembered so that none takes effect twice. No client repeats one after a month. */
  messages: readonly { removeBefore(cutoffMs: number): Promise<unknown> }[]
  throttles: Pick<Throttles, 'removeQuietSince'>
  settings: Settings
  clock: Clock
}

export type Retention = ReturnType<typeof createRetention>

/**
 * Archives and purges what is older than the site's settings allow. Nothing is purged before its archive has been read
 * back. Each task returns what it did, in a few words.
 */
export function createRetention(ports: RetentionPorts) {
  const { database, sessions, archives, logs, messages, throttles, settings, clock } = ports
  const dayOf = (unixMs: number) =>
    Temporal.Instant.fromEpochMilliseconds(unixMs).toZonedDateTimeISO(settings.current().timeZone)

  return {
    async purgeSessions(nowMs: number): Promise<string> {
      const cutoffMs = nowMs - settings.current().sessionRetentionDays * DAY_MS
      await database.write(async () => {
        for (const kind of messages) await kind.removeBefore(nowMs - MESSAGE_DAYS * DAY_MS)
        await throttles.removeQuietSince(nowMs - DAY_MS)
      })
      const { archiveRetentionDays = DEFAULT_ARCHIVE_RETENTION_DAYS } = settings.current()
      const removed = await archives.removeBefore(nowMs - archiveRetentionDays * DAY_MS)
      const archivesRemoved = removed === 0 ? '' : `, ${removed} archives removed`
      if ((await sessions.countEndedBefore(cutoffMs)) === 0) return `nothing to purge${archivesRemoved}`
      const label = `until-${dayOf(cutoffMs).toPlainDate().toString()}`
      const rows = () => sessions.endedBefore(cutoffMs)
      const { file } = await archives.write({ kind: 'sessions', label, fromMs: 0, toMs: cutoffMs, rows })
      const count = await database.write(() => sessions.removeEndedBefore(cutoffMs))
      return `${count} sessions purged, kept in ${file}${archivesRemoved}`
    },

    /** Seals the journal up to the last record that is old enough, then purges below the seal. */
    async purgeLogs(nowMs: number): Promise<string> {
      const cutoffMs = nowMs - settings.current().logRetentionDays * DAY_MS
      const last = await logs.lastBefore(cutoffMs)
      if (!last) return 'nothing to purge'
      const label = `until-${dayOf(cutoffMs).toPlainDate().toString()}`
      const rows = () => logs.upTo(last.id)
      const { file } = await archives.write({ kind: 'logs', label, fromMs: 0, toMs: cutoffMs, rows })
      const count = await database.write(() => logs.purgeUpTo(last, clock.nowMs()))
      return `${count} records purged, kept in ${file}`
    },

    /** Archives the month before the one of `nowMs`. */
    async archiveMonth(nowMs: number): Promise<string> {
      const thisMonth = dayOf(nowMs).with({ day: 1 }).startOfDay()
      const lastMonth = thisMonth.subtract({ months: 1 })
      const fromMs = lastMonth.epochMilliseconds
      const toMs = thisMonth.epochMilliseconds
      const label = lastMonth.toPlainDate().toPlainYearMonth().toString()
      const results: string[] = []
      for (const [kind, rows] of [
        ['sessions', () => sessions.endedWithin(fromMs, toMs)],
        ['logs', () => logs.within(fromMs, toMs)],
      ] as const) {
        const { file, rowCount, sha256 } = await archives.write({ kind, label, fromMs, toMs, rows })
        results.push(`${file}: ${rowCount} rows, sha256 ${sha256}`)
      }
      return results.join('; ')
    },
  }
}
