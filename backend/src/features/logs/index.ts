export { createJournal, toLog, systemActor, type Journal, type LogEntry } from './journal.ts'
export { createLogRepository, logsSaying, type LogRepository } from './repository.ts'
export { logRoutes } from './routes.ts'
