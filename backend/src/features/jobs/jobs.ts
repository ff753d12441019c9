import type { Retention } from '../archives/index.ts'
import type { ReportService } from '../reports/index.ts'
import type { RunningSessions, SessionService } from '../sessions/index.ts'
import type { StaffCalls } from '../staff-calls/index.ts'
import type { Jobs } from './calendar.ts'

/** The eight tasks: three are the deadlines' work and only swept after here, five follow the calendar. */
export function createJobs(ports: {
  sessions: Pick<SessionService, 'endDue'>
  calls: Pick<StaffCalls, 'endForgotten'>
  running: RunningSessions
  retention: Retention
  reports: ReportService
}): Jobs {
  const { sessions, calls, running, retention, reports } = ports
  const countRunning = () => `${[...running.values()].length} sessions running`
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
    monthly_archive: { pattern: '0 1 1 * *', run: retention.archiveMonth },
    old_logs: { pattern: '0 3 * * *', run: retention.purgeLogs },
    old_sessions: { pattern: '0 4 * * *', run: retention.purgeSessions },
    session_report: {
      pattern: '0 6 * * *',
      run: async (nowMs) => `report ${await reports.tellYesterday('sessions', nowMs)}`,
    },
    log_report: {
      pattern: '30 6 * * *',
      run: async (nowMs) => `report ${await reports.tellYesterday('logs', nowMs)}`,
    },
  }
}
