import { isSettled } from '../../domain/command.ts'
import type { CommandRecord } from '../../db/rows.ts'
import type { AppEvents } from '../../events.ts'

/** Which stations have a command without a final answer, in memory: no heartbeat and no connection costs a query. */
export function createOpenCommands(events: AppEvents) {
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
    note,
    isAnyAt: (stationId: string): boolean => byStation.has(stationId),
    /** Whether a station is being woken. */
    isWaking: (stationId: string): boolean =>
      [...(byStation.get(stationId)?.values() ?? [])].some(
        ({ op, status }) => op === 'wake' && status === 'sent',
      ),
  }
}
