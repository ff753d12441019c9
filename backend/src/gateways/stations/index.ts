import type { Logger } from 'pino'
import type { Bus } from '../../bus/port.ts'
import type { Store } from '../../db/database.ts'
import type { Feature } from '../../features/feature.ts'
import { createBirths, type BirthPorts } from './births.ts'
import { createStationIntake, type IntakePorts } from './intake.ts'
import { createReportedEnds, type ReportedEndPorts } from './reported-ends.ts'
import { createStationMessages } from './repository.ts'

type Inside = 'database' | 'messages' | 'births' | 'reportedEnds'

export interface StationGatewayPorts extends Omit<IntakePorts & BirthPorts & ReportedEndPorts, Inside> {
  database: Store
  /** The bus of this server alone, where several serve the site. */
  ownBus: Pick<Bus, 'publish'>
  log: Logger
}

/** What stations and the server tell each other on the bus. */
export function createStationGateway(ports: StationGatewayPorts) {
  const { database, presences, desired, ownBus } = ports
  const births = createBirths(ports)
  const reportedEnds = createReportedEnds(ports)
  const messages = createStationMessages(database)
  const receive = createStationIntake({ ...ports, messages, births, reportedEnds })

  return {
    service: { receive },
    /** Publishes what stations must find on the bus; to be done before anything listens. */
    async start(): Promise<void> {
      births.start()
      await presences.publishAll(ownBus)
      await desired.publishAll()
    },
    stop(): void {
      births.stop()
      reportedEnds.stop()
    },
  } satisfies Feature
}
