import type { SessionRecord } from '../../db/rows.ts'
import type { AppEvents } from '../../events.ts'

export interface RunningSessions {
  /** Loads what runs; to be called once, before anything changes. */
  load(sessions: SessionRecord[]): void
  values(): Iterable<SessionRecord>
}

/** The sessions that count down right now, in memory: what each second needs without the database. */
export function createRunningSessions(events: AppEvents): RunningSessions {
  const active = new Map<string, SessionRecord>()
  const take = (session: SessionRecord) => {
    if (session.state === 'active') active.set(session.id, session)
    else active.delete(session.id)
  }
  events.subscribe((event) => {
    if (event.type === 'sessionChanged') take(event.session)
  })
  return { load: (sessions) => sessions.forEach(take), values: () => active.values() }
}
