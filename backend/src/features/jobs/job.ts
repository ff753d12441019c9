import type { JobName } from '@escale/protocol'

/** One task of the calendar. */
export interface Job {
  /** Cron pattern in the site's time zone; undefined for what deadlines do, which the calendar only shows. */
  pattern?: string
  /** In words, for a task without a pattern. */
  schedule?: string
  /** Runs so often that the journal has a record of its failures only. */
  isQuiet?: boolean
  /** Is about the day or the month before its slot: each missed slot is made up. Of other tasks one run makes up for all. */
  isAboutItsSlot?: boolean
  /** Does the work as of `nowMs`; @returns what was done, in a few words */
  run(nowMs: number): Promise<string>
}

export type Jobs = Record<JobName, Job>
