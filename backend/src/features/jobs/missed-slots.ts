import { Cron } from 'croner'
import { jobNames, type JobName } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { Settings } from '../settings/index.ts'
import type { Job, Jobs } from './jobs.ts'
import type { JobRunRepository } from './repository.ts'

/** How long the runs of a task are stored. */
export const RUNS_KEPT_MS = 62 * 24 * 3_600_000

/** A slot in which a task should have run but did not. */
interface MissedSlot {
  name: JobName
  slotMs: number
  /** The instant that the task uses as its time; undefined for now. */
  asOfMs: number | undefined
}

interface MissedSlotPorts {
  database: Database
  runs: JobRunRepository
  settings: Settings
  clock: Clock
}

/** Finds the slots in which a task did not run, since the last search or the first start of the site. */
export function createMissedSlots(jobs: Jobs, { database, runs, settings, clock }: MissedSlotPorts) {
  /** The end of the last search; undefined before the first. */
  let lookedUntilMs: number | undefined

  /** The first start of the site with a calendar. */
  async function firstStartMs(nowMs: number): Promise<number> {
    const knownMs = await runs.beginningMs()
    if (knownMs !== undefined) return knownMs
    await database.write(() => runs.noteBeginning(nowMs))
    return nowMs
  }

  function slotsBetween(pattern: string, fromMs: number, toMs: number): number[] {
    const cron = new Cron(pattern, { timezone: settings.current().timeZone, paused: true })
    const slots: number[] = []
    let next = cron.nextRun(new Date(fromMs))
    while (next && next.getTime() <= toMs) {
      slots.push(next.getTime())
      next = cron.nextRun(next)
    }
    return slots
  }

  return {
    async find(): Promise<MissedSlot[]> {
      const nowMs = clock.nowMs()
      const fromMs = lookedUntilMs ?? Math.max(await firstStartMs(nowMs), nowMs - RUNS_KEPT_MS)
      const missed: MissedSlot[] = []
      for (const name of jobNames) {
        const job = jobs[name]
        if (job.pattern === undefined || job.isQuiet) continue
        const slots = slotsBetween(job.pattern, fromMs, nowMs)
        if (slots.length > 0) missed.push(...missedOf(name, job, slots, await runs.slotsSince(name, fromMs)))
      }
      lookedUntilMs = nowMs
      return missed.toSorted(inOrder)
    },
  }
}

/** @param ran slots that were run, also manually */
function missedOf(name: JobName, job: Job, slots: readonly number[], ran: readonly number[]): MissedSlot[] {
  if (job.isAboutItsSlot)
    return slots.filter((slot) => !ran.includes(slot)).map((slotMs) => ({ name, slotMs, asOfMs: slotMs }))
  const newest = slots.at(-1) ?? 0
  return ran.some((slot) => slot >= newest) ? [] : [{ name, slotMs: newest, asOfMs: undefined }]
}

/** Reports and archives come first, because they need data that the purges remove. Then by slot. */
function inOrder(a: MissedSlot, b: MissedSlot): number {
  const isLater = (one: MissedSlot) => (one.asOfMs === undefined ? 1 : 0)
  return isLater(a) - isLater(b) || a.slotMs - b.slotMs
}
