import { isRunning, type SessionRecord } from './session-record.ts'

/** The sessions that have not ended, with indexes of the running ones by station and by user. */
export function createUnendedSessions() {
  const sessions = new Map<string, SessionRecord>()
  const runningAt = new Map<string, SessionRecord>()
  const runningOf = new Map<string, SessionRecord>()

  /** Removes a session from all indexes. Another session may already run at its station: that entry stays. */
  function remove(id: string): SessionRecord | undefined {
    const before = sessions.get(id)
    if (!before) return undefined
    sessions.delete(id)
    const { stationId, userId } = before
    if (stationId !== undefined && runningAt.get(stationId)?.id === id) runningAt.delete(stationId)
    if (userId !== undefined && runningOf.get(userId)?.id === id) runningOf.delete(userId)
    return before
  }

  return {
    /** @returns the session as it was before */
    put(session: SessionRecord): SessionRecord | undefined {
      const { id, stationId, userId, state } = session
      const before = remove(id)
      if (state !== 'ended') sessions.set(id, session)
      if (isRunning(session)) {
        if (stationId !== undefined) runningAt.set(stationId, session)
        if (userId !== undefined) runningOf.set(userId, session)
      }
      return before
    },

    reads: {
      /** A session that has not ended. */
      session: (id: string): SessionRecord | undefined => sessions.get(id),
      /** All sessions that have not ended. */
      sessions: (): IterableIterator<SessionRecord> => sessions.values(),
      /** The session that is active or suspended at a station. */
      runningAt: (stationId: string): SessionRecord | undefined => runningAt.get(stationId),
      /** The session of a user that is active or suspended. */
      runningOf: (userId: string): SessionRecord | undefined => runningOf.get(userId),
      running: (): SessionRecord[] => [...sessions.values()].filter(isRunning),
      pending: (): SessionRecord[] => [...sessions.values()].filter(({ state }) => state === 'pending'),
    },
  }
}
