export { createReportRepository } from './repository.ts'
export { reportRoutes } from './routes.ts'
export { createReportService, type ReportService } from './service.ts'
