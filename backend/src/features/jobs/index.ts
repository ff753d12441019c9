export { createCalendar, type Calendar, type Job } from './calendar.ts'
export { createJobs } from './jobs.ts'
export { createJobRunRepository } from './repository.ts'
