import { isRunning, type SessionRecord } from './session-record.ts'

/** The sessions that have not ended, and who is running where. */
export function createUnendedSessions() {
  const sessions = new Map<string, SessionRecord>()
  const runningAt = new Map<string, SessionRecord>()
  const runningOf = new Map<string, SessionRecord>()

  /** Takes a session out of every index; its station is free, unless another session has it already. */
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
