import { Cron } from 'croner'
import type { Actor, JobName, JobStatus } from '@escale/protocol'
import { MINUTE_MS, instantOf, jobNames } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import { systemActor, type Journal } from '../logs/index.ts'
import type { Settings } from '../settings/index.ts'
import type { Database } from '../../db/database.ts'
import type { JobRunRepository } from './repository.ts'

/** One task of the calendar. */
export interface Job {
  /** Cron pattern in the site's time zone; undefined for what deadlines do, which the calendar only shows. */
  pattern?: string
  /** In words, for a task without a pattern. */
  schedule?: string
  /** Runs so often that the journal hears of failures only. */
  isQuiet?: boolean
  /** Does the work as of `nowMs`; @returns what was done, in a few words */
  run(nowMs: number): Promise<string>
}

export type Jobs = Record<JobName, Job>

/** How long the runs of a task are remembered. */
const KEPT_MS = 62 * 24 * 3_600_000

export interface Calendar {
  start(): void
  stop(): Promise<void>
  /** Runs a task now. @throws whatever the task throws */
  run(name: JobName, actor: Actor): Promise<string>
  statuses(): Promise<JobStatus[]>
}

/**
 * Runs the calendar's tasks. Whoever writes a slot's row first runs it, so that each slot is run once even with
 * several servers; a slot that was missed while the server was down is not made up for, the next one does it all.
 */
export function createCalendar(
  jobs: Jobs,
  ports: {
    database: Database
    runs: JobRunRepository
    settings: Settings
    journal: Journal
    clock: Clock
    log: Logger
  },
): Calendar {
  const { database, runs, settings, journal, clock, log } = ports
  let timers: Cron[] = []
  const underWay = new Set<Promise<unknown>>()

  async function execute(name: JobName, slotMs: number, actor: Actor): Promise<string | undefined> {
    const startedAtMs = clock.nowMs()
    const isOurs = await database.write(() => runs.claim({ name, slotMs, startedAtMs }, slotMs - KEPT_MS))
    if (!isOurs) return undefined
    try {
      const result = await jobs[name].run(startedAtMs)
      await end('done', result)
      return result
    } catch (err) {
      log.error({ err, job: name }, 'a task of the calendar failed')
      await end('failed', err instanceof Error ? err.message : String(err))
      throw err
    }

    async function end(outcome: 'done' | 'failed', result: string): Promise<void> {
      await database.write(async () => {
        await runs.end(name, slotMs, { outcome, result, endedAtMs: clock.nowMs() })
        if (jobs[name].isQuiet && outcome === 'done') return
        const level = outcome === 'done' ? 'info' : 'error'
        await journal.append({
          action: 'job.ran',
          level,
          actor,
          details: { job: name, outcome },
          texts: { result },
        })
      })
    }
  }

  function onSlot(name: JobName, slotMs: number): void {
    const work = execute(name, slotMs, systemActor).catch((): undefined => undefined)
    underWay.add(work)
    void work.then(() => underWay.delete(work))
  }

  const nextRunMs = ({ pattern }: Job): number | undefined => {
    if (pattern === undefined) return undefined
    const { timeZone: timezone } = settings.current()
    return new Cron(pattern, { timezone, paused: true }).nextRun(new Date(clock.nowMs()))?.getTime()
  }

  return {
    start() {
      timers = jobNames.flatMap((name) => {
        const { pattern } = jobs[name]
        if (pattern === undefined) return []
        const { timeZone: timezone } = settings.current()
        return new Cron(pattern, { timezone, unref: true }, (self) => {
          // Of two servers, one may be late by seconds: all patterns are whole minutes.
          const startedAtMs = self.currentRun()?.getTime() ?? clock.nowMs()
          onSlot(name, Math.round(startedAtMs / MINUTE_MS) * MINUTE_MS)
        })
      })
    },
    async stop() {
      for (const timer of timers) timer.stop()
      await Promise.all(underWay)
    },
    async run(name, actor) {
      return (await execute(name, clock.nowMs(), actor)) ?? ''
    },
    async statuses() {
      const last = await runs.lastOfEach()
      return jobNames.map((name) => {
        const job = jobs[name]
        const run = last.get(name)
        const next = nextRunMs(job)
        return {
          name,
          schedule: job.pattern ?? job.schedule ?? '',
          lastRunAt: run && instantOf(run.startedAtMs),
          lastOutcome: run?.outcome ?? undefined,
          lastResult: run?.result ?? undefined,
          nextRunAt: next === undefined ? undefined : instantOf(next),
        }
      })
    },
  }
}
