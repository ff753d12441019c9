import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import { createCalendar, type CalendarPorts } from './calendar.ts'
import { createJobs, type JobPorts } from './jobs.ts'
import { createJobRunRepository } from './repository.ts'

export type { Calendar } from './calendar.ts'

export type CalendarFeaturePorts = Omit<CalendarPorts, 'database' | 'runs'> & JobPorts & { database: Store }

/** Tasks that run on a calendar, in the site's time zone. */
export function createJobCalendar(ports: CalendarFeaturePorts) {
  const runs = createJobRunRepository(ports.database)
  const service = createCalendar(createJobs(ports), { ...ports, runs })
  return {
    service,
    start: service.start,
    async stop() {
      ports.nightlyBackup?.stop()
      await service.stop()
    },
  } satisfies Feature
}
