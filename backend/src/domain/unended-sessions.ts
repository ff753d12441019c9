import { compareValues } from './selection.ts'
import { createSortedList } from './sorted-list.ts'
import { isRunning, type SessionRecord } from './session-record.ts'

/** The sessions that have not ended, with indexes of the running ones by station and by user. */
export function createUnendedSessions() {
  const sessions = new Map<string, SessionRecord>()
  const sorted = createSortedList(newestFirst)
  const running = createSortedList(newestFirst)
  const runningAt = new Map<string, SessionRecord>()
  const runningOf = new Map<string, SessionRecord>()

  /** Another session may already run at the station or of the user: that entry stays. */
  function remove(session: SessionRecord): void {
    const { id, stationId, userId } = session
    sessions.delete(id)
    sorted.remove(session)
    if (!isRunning(session)) return
    running.remove(session)
    if (stationId !== undefined && runningAt.get(stationId)?.id === id) runningAt.delete(stationId)
    if (userId !== undefined && runningOf.get(userId)?.id === id) runningOf.delete(userId)
  }

  function add(session: SessionRecord): void {
    const { id, stationId, userId } = session
    sessions.set(id, session)
    sorted.add(session)
    if (!isRunning(session)) return
    running.add(session)
    if (stationId !== undefined) runningAt.set(stationId, session)
    if (userId !== undefined) runningOf.set(userId, session)
  }

  return {
    /** Adds or replaces a session. An ended one is removed. @returns the session as it was before */
    put(session: SessionRecord): SessionRecord | undefined {
      const before = sessions.get(session.id)
      if (before) remove(before)
      if (session.state !== 'ended') add(session)
      return before
    },

    reads: {
      /** A session that has not ended. */
      session: (id: string): SessionRecord | undefined => sessions.get(id),
      /** All sessions that have not ended, the newest first. */
      sessions: (): readonly SessionRecord[] => sorted.items,
      /** The session that is active or suspended at a station. */
      runningAt: (stationId: string): SessionRecord | undefined => runningAt.get(stationId),
      /** The session of a user that is active or suspended. */
      runningOf: (userId: string): SessionRecord | undefined => runningOf.get(userId),
      /** The sessions that are active or suspended, the newest first. */
      running: (): readonly SessionRecord[] => running.items,
      pending: (): SessionRecord[] => sorted.items.filter(({ state }) => state === 'pending'),
    },
  }
}

const newestFirst = (a: SessionRecord, b: SessionRecord): number =>
  compareValues(b.createdAtMs, a.createdAtMs) || compareValues(a.id, b.id)
