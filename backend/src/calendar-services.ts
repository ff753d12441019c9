import { join } from 'node:path'
import type { Logger } from 'pino'
import type { NightlyBackup } from './backup/nightly.ts'
import type { Clock } from './clock.ts'
import type { Store } from './db/database.ts'
import type { AppEvents } from './events.ts'
import {
  createArchiveRepository,
  createArchives,
  createRetention,
  createRetentionRepository,
} from './features/archives/index.ts'
import { createCalendar, createJobRunRepository, createJobs } from './features/jobs/index.ts'
import type { Journal } from './features/logs/index.ts'
import { createReportRepository, createReportService } from './features/reports/index.ts'
import type { RunningSessions, SessionService } from './features/sessions/index.ts'
import type { Settings } from './features/settings/index.ts'
import type { StaffCalls } from './features/staff-calls/index.ts'

interface CalendarPorts {
  database: Store
  journal: Journal
  settings: Settings
  sessions: SessionService
  running: RunningSessions
  calls: StaffCalls
  events: AppEvents
  clock: Clock
  log: Logger
  dataDir: string
  nightlyBackup: NightlyBackup | undefined
}

/** Reports, archives, purges and backups, and the calendar that they follow. */
export function createCalendarServices(ports: CalendarPorts) {
  const { database } = ports
  const reports = createReportService({ ...ports, repository: createReportRepository(database) })
  const archives = createArchives(join(ports.dataDir, 'archives'), {
    ...ports,
    repository: createArchiveRepository(database),
  })
  const retention = createRetention({
    ...ports,
    repository: createRetentionRepository(database),
    archives,
  })
  const jobs = createJobs({ ...ports, retention, reports })
  const calendar = createCalendar(jobs, { ...ports, runs: createJobRunRepository(database) })
  return { archives, calendar, reports }
}
