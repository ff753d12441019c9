import type { Logger } from 'pino'
import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import { createCommandDeadlines } from './deadlines.ts'
import { commandEndpoints } from './endpoints.ts'
import { createCommandRepository } from './repository.ts'
import { createCommandService, type CommandServicePorts } from './service.ts'

export type { CommandService } from './service.ts'
export { toStationCommand } from './view.ts'
export { createWaker, type Wake } from './wake.ts'

export type CommandPorts = Omit<CommandServicePorts, 'repository'> & { database: Store; log: Logger }

/** What operators order stations to do, and what becomes of it. */
export function createCommands(ports: CommandPorts) {
  const service = createCommandService({ ...ports, repository: createCommandRepository(ports.database) })
  const deadlines = createCommandDeadlines({ ...ports, commands: service })
  return { service, endpoints: [commandEndpoints(service)], ...deadlines } satisfies Feature
}
