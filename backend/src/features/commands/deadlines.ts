import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { AppEvents } from '../../events.ts'
import { createDueWatch } from '../../timing.ts'
import type { OpenCommands } from './open-commands.ts'
import type { Settling } from './settling.ts'

/** Lets commands expire at their time, and notes which stations have woken up. */
export function createCommandDeadlines(ports: {
  settling: Pick<Settling, 'expireDue'>
  openCommands: Pick<OpenCommands, 'isWaking' | 'noteHeard' | 'loadOpen'>
  events: AppEvents
  clock: Clock
  log: Logger
}) {
  const { settling, openCommands, events, log } = ports
  const watch = createDueWatch(settling.expireDue, 'letting commands expire failed, trying again', ports)

  const unsubscribe = events.subscribe((event) => {
    if (event.type === 'commandChanged' && event.command.status === 'sent') void watch.look()
    if (event.type === 'stationChanged' && openCommands.isWaking(event.stationId)) {
      const noted = openCommands.noteHeard(event.stationId)
      void watch.track(noted.catch((err: unknown) => log.error({ err }, 'noting a station as awake failed')))
    }
  })

  return {
    async start(): Promise<void> {
      await openCommands.loadOpen()
      await watch.look()
    },
    /** Resolves when nothing of it runs any more. */
    async stop(): Promise<void> {
      unsubscribe()
      await watch.stop()
    },
  }
}
