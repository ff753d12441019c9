export { createJournal, toLog, systemActor, type Journal, type LogEntry } from './journal.ts'
export { createLogRepository } from './repository.ts'
export { logRoutes } from './routes.ts'
