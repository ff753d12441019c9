import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { AppEvents } from '../../events.ts'
import { createDueWatch } from '../../timing.ts'
import type { OpenCommands } from './open-commands.ts'
import type { Settling } from './settling.ts'

/** Expires commands at their deadline, and detects stations that have woken up. */
export function createCommandDeadlines(ports: {
  settling: Pick<Settling, 'expireDue'>
  openCommands: Pick<OpenCommands, 'isWaking' | 'noteHeard' | 'loadOpen'>
  events: AppEvents
  clock: Clock
  log: Logger
}) {
  const { settling, openCommands, events, log } = ports
  const watch = createDueWatch(settling.expireDue, 'expiring commands failed, trying again', ports)

  const unsubscribe = events.subscribe((event) => {
    if (event.type === 'commandChanged' && event.command.status === 'sent') void watch.look()
    if (event.type === 'stationChanged' && openCommands.isWaking(event.stationId)) {
      const noted = openCommands.noteHeard(event.stationId)
      void watch.track(noted.catch((err: unknown) => log.error({ err }, 'settling a wake command failed')))
    }
  })

  return {
    async start(): Promise<void> {
      await openCommands.loadOpen()
      await watch.look()
    },
    /** Resolves when no work is running any more. */
    async stop(): Promise<void> {
      unsubscribe()
      await watch.stop()
    },
  }
}
