import type { Logger } from 'pino'
import type { Feature } from '../feature.ts'
import { commandEndpoints } from './endpoints.ts'
import { createOpenCommands } from './open-commands.ts'
import { createCommandSending, type CommandSendingPorts } from './sending.ts'
import { createSettling } from './settling.ts'

export { createCommandRepository } from './repository.ts'
export { toStationCommand } from './view.ts'
export { createWaker, type Wake } from './wake.ts'

export interface CommandPorts extends Omit<CommandSendingPorts, 'settling' | 'openCommands'> {
  log: Logger
}

export type CommandService = ReturnType<typeof createCommands>['service']

/** Commands from operators to stations, and their outcomes. */
export function createCommands(ports: CommandPorts) {
  const settling = createSettling(ports)
  const openCommands = createOpenCommands({ ...ports, settling })
  const commands = createCommandSending({ ...ports, settling, openCommands })
  return {
    service: { ...commands, takeAck: settling.takeAck },
    endpoints: [commandEndpoints(commands)],
    start: openCommands.start,
    stop: openCommands.stop,
  } satisfies Feature
}
