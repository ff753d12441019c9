import type { AppEvent } from '../events.ts'
import type { DesiredDocuments } from '../features/desired/index.ts'
import type { RoomStore } from '../features/room/index.ts'
import type { SettingsStore } from '../features/settings/index.ts'
import type { StaffCalls } from '../features/staff-calls/index.ts'

/** Reads changes of other servers that were missed from the database, and returns them as events. */
export function createCatchUp(ports: {
  settings: Pick<SettingsStore, 'load'>
  room: Pick<RoomStore, 'missedSessions' | 'reload'>
  calls: Pick<StaffCalls, 'missed'>
  desired: Pick<DesiredDocuments, 'publishAll'>
}) {
  const { settings, room, calls, desired } = ports

  return async (): Promise<AppEvent[]> => {
    const missed: AppEvent[] = []
    if (await settings.load()) missed.push({ type: 'settingsChanged' })
    for (const session of await room.missedSessions())
      missed.push({ type: 'sessionChanged', session, effects: [] })
    await room.reload()
    missed.push(...(await calls.missed()))
    await desired.publishAll()
    return missed
  }
}
