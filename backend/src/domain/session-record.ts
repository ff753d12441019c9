import type { SessionClock } from './session.ts'

/** A session as the services use it: its time, its user and its station. */
export interface SessionRecord extends SessionClock {
  id: string
  userId?: string
  stationId?: string
  createdBy: string
  /** The start of the agent that the session belongs to, if known. */
  bootId?: string
  mayOutliveClosing: boolean
  version: number
  createdAtMs: number
  updatedAtMs: number
}

/** Whether the session occupies a station. */
export const isRunning = ({ state }: Pick<SessionRecord, 'state'>): boolean =>
  state === 'active' || state === 'suspended'
