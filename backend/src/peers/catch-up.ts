import type { SessionRecord } from '../db/rows.ts'
import type { AppEvent } from '../events.ts'
import type { DesiredDocuments } from '../features/desired/index.ts'
import type { RunningSessions, SessionService } from '../features/sessions/index.ts'
import type { SettingsStore } from '../features/settings/index.ts'
import type { StaffCalls } from '../features/staff-calls/index.ts'
import type { Presences } from '../features/stations/index.ts'

/** Reads from the database what other servers did without being heard, and tells it as if they had been. */
export function createCatchUp(ports: {
  settings: Pick<SettingsStore, 'load'>
  sessions: Pick<SessionService, 'findUnended' | 'get'>
  running: RunningSessions
  presences: Pick<Presences, 'reload'>
  calls: Pick<StaffCalls, 'missed'>
  desired: Pick<DesiredDocuments, 'publishAll'>
}) {
  const { settings, sessions, running, presences, calls, desired } = ports

  /** Sessions that are or were running, and are not as they are remembered. */
  async function changedSessions(): Promise<SessionRecord[]> {
    const known = new Map([...running.values()].map(({ id, version }) => [id, version]))
    const unended = await sessions.findUnended()
    const isChanged = ({ id, state, version }: SessionRecord) =>
      version !== known.get(id) && state !== 'pending'
    const ended = new Set(known.keys())
    for (const { id } of unended) ended.delete(id)
    return [...unended.filter(isChanged), ...(await Promise.all([...ended].map((id) => sessions.get(id))))]
  }

  return async (): Promise<AppEvent[]> => {
    const missed: AppEvent[] = []
    if (await settings.load()) missed.push({ type: 'settingsChanged' })
    for (const session of await changedSessions())
      missed.push({ type: 'sessionChanged', session, effects: [] })
    for (const stationId of await presences.reload())
      missed.push({ type: 'stationChanged', stationId, isUrgent: true })
    missed.push(...(await calls.missed()))
    await desired.publishAll()
    return missed
  }
}
