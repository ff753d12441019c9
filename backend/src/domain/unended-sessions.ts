import { compareValues } from './selection.ts'
import { createSortedList } from './sorted-list.ts'
import { isRunning, type SessionRecord } from './session-record.ts'

/** The sessions that have not ended, with indexes of the running ones by station and by user. */
export function createUnendedSessions() {
  const sessions = new Map<string, SessionRecord>()
  const sorted = createSortedList(newestFirst)
  const runningAt = new Map<string, SessionRecord>()
  const runningOf = new Map<string, SessionRecord>()

  /** Another session may already run at the station or of the user: that entry stays. */
  function removeRunning({ id, stationId, userId }: SessionRecord): void {
    if (stationId !== undefined && runningAt.get(stationId)?.id === id) runningAt.delete(stationId)
    if (userId !== undefined && runningOf.get(userId)?.id === id) runningOf.delete(userId)
  }

  return {
    /** Adds or replaces a session. An ended one is removed. @returns the session as it was before */
    put(session: SessionRecord): SessionRecord | undefined {
      const { id, stationId, userId, state } = session
      const before = sessions.get(id)
      if (before) removeRunning(before)
      if (state === 'ended') {
        if (before) sorted.remove(before)
        sessions.delete(id)
        return before
      }
      sessions.set(id, session)
      sorted.put(before, session)
      if (isRunning(session)) {
        if (stationId !== undefined) runningAt.set(stationId, session)
        if (userId !== undefined) runningOf.set(userId, session)
      }
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
      running: (): SessionRecord[] => sorted.items.filter(isRunning),
      pending: (): SessionRecord[] => sorted.items.filter(({ state }) => state === 'pending'),
    },
  }
}

const newestFirst = (a: SessionRecord, b: SessionRecord): number =>
  compareValues(b.createdAtMs, a.createdAtMs) || compareValues(a.id, b.id)
