import type { Logger } from 'pino'
import type { Bus } from '../../bus/port.ts'
import type { Store } from '../../db/database.ts'
import type { Feature } from '../../features/feature.ts'
import { createAgentStarts, type AgentStartPorts } from './agent-starts.ts'
import { createStationIntake, type IntakePorts } from './intake.ts'
import { createReportedEnds, type ReportedEndPorts } from './reported-ends.ts'
import { createSeatReports, type SeatReportPorts } from './seat-reports.ts'
import { createStationMessages } from './repository.ts'

type Inside = 'database' | 'messages' | 'agentStarts' | 'reportedEnds' | 'seatReports'
type AllPorts = IntakePorts & AgentStartPorts & ReportedEndPorts & SeatReportPorts

export interface StationGatewayPorts extends Omit<AllPorts, Inside> {
  database: Store
  /** The bus of this server only, if the site has several servers. */
  ownBus: Pick<Bus, 'publish'>
  log: Logger
}

/** The messages between stations and the server. */
export function createStationGateway(ports: StationGatewayPorts) {
  const { database, presences, desired, ownBus } = ports
  const agentStarts = createAgentStarts(ports)
  const reportedEnds = createReportedEnds(ports)
  const messages = createStationMessages(database)
  const seatReports = createSeatReports(ports)
  const receive = createStationIntake({ ...ports, messages, agentStarts, reportedEnds, seatReports })

  return {
    service: { receive, messages },
    /** Publishes the retained messages for stations. Call it before the listeners open. */
    async start(): Promise<void> {
      agentStarts.start()
      await presences.publishAll(ownBus)
      await desired.publishAll()
    },
    stop(): void {
      agentStarts.stop()
      reportedEnds.stop()
    },
  } satisfies Feature
}
