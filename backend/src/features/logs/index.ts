import type { Clock } from '../../clock.ts'
import type { Store } from '../../db/database.ts'
import type { AppEvents } from '../../events.ts'
import type { Feature } from '../feature.ts'
import { logEndpoints } from './endpoints.ts'
import { createJournal } from './journal.ts'
import { createOldRecordRepository } from './old-records-repository.ts'
import { createRecords } from './records.ts'
import { createLogRepository } from './repository.ts'
import { createRecordTextRepository } from './texts-repository.ts'

export { auditJournal, type AuditReport } from './audit.ts'
export { createJournal, systemActor, toLog, type Journal, type LogEntry } from './journal.ts'
export type { OldRecords } from './old-records-repository.ts'
export type { RecordTexts } from './texts-repository.ts'
export type { Records } from './records.ts'
export { createLogRepository } from './repository.ts'

export interface LogPorts {
  database: Store
  /** The site's time zone, in which a day begins. */
  timeZone(): string
  events: AppEvents
  clock: Clock
}

/** The journal: who did what, in a chain that shows whether a record was altered. */
export function createLogs({ database, timeZone, events, clock }: LogPorts) {
  const repository = createLogRepository(database)
  const journal = createJournal(database, repository, events, clock)
  const records = createRecords({ repository, timeZone, clock })
  const oldRecords = createOldRecordRepository(database)
  const texts = createRecordTextRepository(database)
  return {
    service: { journal, records, oldRecords, texts },
    endpoints: [logEndpoints(records)],
  } satisfies Feature
}
