import type { SessionRecord } from '../../db/rows.ts'
import type { AppEvents } from '../../events.ts'

export interface RunningSessions {
  /** Loads what runs; to be called once, before anything changes. */
  load(sessions: SessionRecord[]): void
  values(): Iterable<SessionRecord>
}

/** The sessions that are active or suspended, in memory: what each second needs without the database. */
export function createRunningSessions(events: AppEvents): RunningSessions {
  const running = new Map<string, SessionRecord>()
  const take = (session: SessionRecord) => {
    if (session.state === 'active' || session.state === 'suspended') running.set(session.id, session)
    else running.delete(session.id)
  }
  events.subscribe((event) => {
    if (event.type === 'sessionChanged') take(event.session)
  })
  return { load: (sessions) => sessions.forEach(take), values: () => running.values() }
}
