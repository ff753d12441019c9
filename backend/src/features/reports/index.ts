import type { Clock } from '../../clock.ts'
import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import type { Settings } from '../settings/index.ts'
import { reportEndpoints } from './endpoints.ts'
import { createReportRepository } from './repository.ts'
import { createReportService } from './service.ts'

export type { ReportService } from './service.ts'

export interface ReportPorts {
  database: Store
  settings: Settings
  clock: Clock
}

/** Statistics, and the reports of each day. */
export function createReports(ports: ReportPorts) {
  const service = createReportService({ ...ports, repository: createReportRepository(ports.database) })
  return { service, endpoints: [reportEndpoints(service)] } satisfies Feature
}
