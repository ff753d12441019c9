export { createCalendar, type Calendar, type Jobs } from './calendar.ts'
export { createJobs } from './jobs.ts'
export { createJobRunRepository } from './repository.ts'
