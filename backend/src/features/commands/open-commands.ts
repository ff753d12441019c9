import type { CommandRecord } from '../../db/rows.ts'
import { isSettled } from '../../domain/command.ts'
import type { AppEvents } from '../../events.ts'
import { systemActor } from '../logs/index.ts'
import type { Presences } from '../room/index.ts'
import type { CommandRepository } from './repository.ts'
import type { Settling } from './settling.ts'

export interface OpenCommandPorts {
  repository: Pick<CommandRepository, 'findAllOpen' | 'findOpenOf'>
  settling: Pick<Settling, 'settleNow'>
  presences: Pick<Presences, 'find'>
  events: AppEvents
}

export type OpenCommands = ReturnType<typeof createOpenCommands>

/** Open commands by station, in memory, so that heartbeats and connections need no query. */
export function createOpenCommands({ repository, settling, presences, events }: OpenCommandPorts) {
  const byStation = new Map<string, Map<string, CommandRecord>>()

  function note(command: CommandRecord): void {
    const { id, stationId } = command
    const open = byStation.get(stationId) ?? new Map<string, CommandRecord>()
    if (isSettled(command)) open.delete(id)
    else byStation.set(stationId, open.set(id, command))
    if (open.size === 0) byStation.delete(stationId)
  }

  events.subscribe((event) => {
    if (event.type === 'commandChanged') note(event.command)
    if (event.type === 'stationRemoved') byStation.delete(event.stationId)
  })

  return {
    isAnyAt: (stationId: string): boolean => byStation.has(stationId),

    /** Loads the open commands. Call it once, before stations can connect. */
    async loadOpen(): Promise<void> {
      for (const command of await repository.findAllOpen()) note(command)
    },

    /** Whether a station is being woken. */
    isWaking: (stationId: string): boolean =>
      [...(byStation.get(stationId)?.values() ?? [])].some(
        ({ op, status }) => op === 'wake' && status === 'sent',
      ),

    /** Marks the wake commands of a station as applied if it has sent something since. */
    async noteHeard(stationId: string): Promise<void> {
      const heardAtMs = presences.find(stationId)?.lastHeardAtMs ?? 0
      const open = await repository.findOpenOf(stationId, 0)
      for (const { id } of open.filter(({ op, sentAtMs }) => op === 'wake' && sentAtMs < heardAtMs))
        await settling.settleNow(id, { status: 'applied' }, systemActor)
    },
  }
}
