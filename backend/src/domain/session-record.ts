import type { SessionClock } from './session.ts'

/** A session as services hold it: its clock, and to whom and where it belongs. */
export interface SessionRecord extends SessionClock {
  id: string
  userId?: string
  stationId?: string
  createdBy: string
  /** Start of the agent that it belongs to, where one is known. */
  bootId?: string
  mayOutliveClosing: boolean
  version: number
  createdAtMs: number
  updatedAtMs: number
}

/** Whether it has a station to itself. */
export const isRunning = ({ state }: Pick<SessionRecord, 'state'>): boolean =>
  state === 'active' || state === 'suspended'
