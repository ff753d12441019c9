import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import { reportEndpoints } from './endpoints.ts'
import { createReportRepository } from './repository.ts'
import { createReportService, type ReportServicePorts } from './service.ts'

export type { ReportService } from './service.ts'

export interface ReportPorts extends Omit<ReportServicePorts, 'repository'> {
  database: Store
}

/** Statistics, and the reports of each day. */
export function createReports(ports: ReportPorts) {
  const service = createReportService({ ...ports, repository: createReportRepository(ports.database) })
  return { service, endpoints: [reportEndpoints(service)] } satisfies Feature
}
