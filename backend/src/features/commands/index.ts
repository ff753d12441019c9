import type { Logger } from 'pino'
import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import { createCommandDeadlines } from './deadlines.ts'
import { commandEndpoints } from './endpoints.ts'
import { createOpenCommands } from './open-commands.ts'
import { createCommandRepository } from './repository.ts'
import { createCommandSending, type CommandSendingPorts } from './sending.ts'
import { createSettling } from './settling.ts'

export { toStationCommand } from './view.ts'
export { createWaker, type Wake } from './wake.ts'

type Inside = 'database' | 'repository' | 'settling' | 'openCommands'

export interface CommandPorts extends Omit<CommandSendingPorts, Inside> {
  database: Store
  log: Logger
}

export type CommandService = ReturnType<typeof createCommands>['service']

/** Commands from operators to stations, and their outcomes. */
export function createCommands(ports: CommandPorts) {
  const repository = createCommandRepository(ports.database)
  const settling = createSettling({ ...ports, repository })
  const openCommands = createOpenCommands({ ...ports, repository, settling })
  const commands = createCommandSending({ ...ports, repository, settling, openCommands })
  return {
    service: { ...commands, takeAck: settling.takeAck },
    endpoints: [commandEndpoints(commands)],
    ...createCommandDeadlines({ ...ports, settling, openCommands }),
  } satisfies Feature
}
