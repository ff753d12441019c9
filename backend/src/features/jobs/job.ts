import type { JobName } from '@escale/protocol'

/** One task of the calendar. */
export interface Job {
  /** Cron pattern in the site's time zone; undefined for work that is done at deadlines and only listed here. */
  pattern?: string
  /** Description for a task without a pattern. */
  schedule?: string
  /** Runs often, so the journal records only its failures. */
  isQuiet?: boolean
  /** Is about the day or month before its slot, so each missed slot is made up. Other tasks run once for all. */
  isAboutItsSlot?: boolean
  /** Does the work as of `nowMs`; @returns what was done, in a few words */
  run(nowMs: number): Promise<string>
}

export type Jobs = Record<JobName, Job>
