import type { JobName } from '@escale/protocol'
import type { NightlyBackup } from '../../backup/nightly.ts'
import type { Retention } from '../archives/index.ts'
import type { ReportService } from '../reports/index.ts'
import type { RoomStore } from '../room/index.ts'
import type { SessionService } from '../sessions/index.ts'
import type { StaffCalls } from '../staff-calls/index.ts'

/** One task of the calendar. */
export interface Job {
  /** Cron pattern in the site's time zone; undefined for work that is done at deadlines and only listed here. */
  pattern?: string
  /** Description for a task without a pattern. */
  schedule?: string
  /** Runs often, so the journal records only its failures. */
  isQuiet?: boolean
  /** Is about the day or month before its slot, so each missed slot is made up. Other tasks run once for all. */
  isAboutItsSlot?: boolean
  /** Does the work as of `nowMs`; @returns what was done, in a few words */
  run(nowMs: number): Promise<string>
}

export type Jobs = Record<JobName, Job>

export interface JobPorts {
  sessions: Pick<SessionService, 'endDue'>
  calls: Pick<StaffCalls, 'endForgotten'>
  room: Pick<RoomStore, 'running'>
  retention: Retention
  reports: Pick<ReportService, 'reportYesterday'>
  /** undefined if no folder for backups is configured. */
  nightlyBackup: NightlyBackup | undefined
}

/** The tasks. The first three are done at deadlines; the calendar lists them, and ends sessions that were missed. */
export function createJobs(ports: JobPorts): Jobs {
  const { sessions, calls, room, retention, reports, nightlyBackup } = ports
  const countRunning = () => `${room.running().length} sessions running`
  return {
    expired_sessions: {
      pattern: '*/5 * * * *',
      isQuiet: true,
      async run() {
        await calls.endForgotten()
        const nextMs = await sessions.endDue()
        return nextMs === undefined ? 'nothing waits' : `next end at ${new Date(nextMs).toISOString()}`
      },
    },
    session_times: { schedule: 'computed whenever it is asked for', run: async () => countRunning() },
    session_warnings: {
      schedule: 'at 300, 120, 60, 30 and 10 s left, by a timer',
      run: async () => countRunning(),
    },
    monthly_archive: { pattern: '0 1 1 * *', isAboutItsSlot: true, run: retention.archiveMonth },
    old_logs: { pattern: '0 3 * * *', run: retention.purgeLogs },
    old_sessions: { pattern: '0 4 * * *', run: retention.purgeSessions },
    backup: nightlyBackup
      ? { pattern: '0 2 * * *', run: nightlyBackup.run }
      : { schedule: 'where ESCALE_BACKUP_DIR names a folder', run: async () => 'no folder for backups' },
    session_report: {
      pattern: '0 6 * * *',
      isAboutItsSlot: true,
      run: async (nowMs) => `report ${await reports.reportYesterday('sessions', nowMs)}`,
    },
    log_report: {
      pattern: '30 6 * * *',
      isAboutItsSlot: true,
      run: async (nowMs) => `report ${await reports.reportYesterday('logs', nowMs)}`,
    },
  }
}
