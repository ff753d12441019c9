import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { CommandRecord } from '../../db/rows.ts'
import { isSettled } from '../../domain/command.ts'
import type { AppEvents } from '../../events.ts'
import { createDueWatch } from '../../timing.ts'
import { systemActor } from '../logs/index.ts'
import type { Presences } from '../room/index.ts'
import type { CommandRepository } from './repository.ts'
import type { Settling } from './settling.ts'

export interface OpenCommandPorts {
  repository: Pick<CommandRepository, 'findAllOpen' | 'findOpenOf'>
  settling: Pick<Settling, 'settleNow' | 'expireDue'>
  presences: Pick<Presences, 'find'>
  events: AppEvents
  clock: Clock
  log: Logger
}

export type OpenCommands = ReturnType<typeof createOpenCommands>

/**
 * Open commands by station, in memory, so that heartbeats and connections need no query. Expires them at their deadline,
 * and detects stations that have woken up.
 */
export function createOpenCommands(ports: OpenCommandPorts) {
  const { repository, settling, presences, events, log } = ports
  const byStation = new Map<string, Map<string, CommandRecord>>()
  const watch = createDueWatch(settling.expireDue, 'expiring commands failed, trying again', ports)

  function note(command: CommandRecord): void {
    const { id, stationId } = command
    const open = byStation.get(stationId) ?? new Map<string, CommandRecord>()
    if (isSettled(command)) open.delete(id)
    else byStation.set(stationId, open.set(id, command))
    if (open.size === 0) byStation.delete(stationId)
  }

  const isWaking = (stationId: string): boolean =>
    [...(byStation.get(stationId)?.values() ?? [])].some(
      ({ op, status }) => op === 'wake' && status === 'sent',
    )

  /** Marks the wake commands of a station as applied if it has sent something since. */
  async function noteHeard(stationId: string): Promise<void> {
    const heardAtMs = presences.find(stationId)?.lastHeardAtMs ?? 0
    const open = await repository.findOpenOf(stationId, 0)
    for (const { id } of open.filter(({ op, sentAtMs }) => op === 'wake' && sentAtMs < heardAtMs))
      await settling.settleNow(id, { status: 'applied' }, systemActor)
  }

  const unsubscribe = events.subscribe((event) => {
    if (event.type === 'stationRemoved') byStation.delete(event.stationId)
    if (event.type === 'commandChanged') {
      note(event.command)
      if (event.command.status === 'sent') void watch.look()
    }
    if (event.type === 'stationChanged' && isWaking(event.stationId)) {
      const noted = noteHeard(event.stationId)
      void watch.track(noted.catch((err: unknown) => log.error({ err }, 'settling a wake command failed')))
    }
  })

  return {
    isAnyAt: (stationId: string): boolean => byStation.has(stationId),

    /** Loads the open commands. Call it once, before stations can connect. */
    async start(): Promise<void> {
      for (const command of await repository.findAllOpen()) note(command)
      await watch.look()
    },
    /** Resolves when no work is running any more. */
    async stop(): Promise<void> {
      unsubscribe()
      await watch.stop()
    },
  }
}
