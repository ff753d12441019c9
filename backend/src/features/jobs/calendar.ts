import { Cron } from 'croner'
import { MINUTE_MS, instantOf, jobNames, type Actor, type JobName, type JobStatus } from '@escale/protocol'
import type { Logger } from 'pino'
import type { BasePorts } from '../base-ports.ts'
import { systemActor } from '../logs/index.ts'
import type { Settings } from '../settings/index.ts'
import type { AppEvents } from '../../events.ts'
import type { Jobs } from './jobs.ts'
import { RUNS_KEPT_MS, createMissedSlots } from './missed-slots.ts'
import type { JobRunRepository } from './repository.ts'

export interface CalendarPorts extends BasePorts {
  runs: JobRunRepository
  settings: Settings
  events: AppEvents
  log: Logger
}

export type Calendar = ReturnType<typeof createCalendar>

/**
 * Runs the calendar's tasks. The server that first inserts a slot's row runs it, so each slot runs once even with
 * several servers. Slots that were missed, because the server was off or the machine slept, are made up.
 */
export function createCalendar(jobs: Jobs, ports: CalendarPorts) {
  const { database, runs, settings, journal, events, clock, log } = ports
  let timers = new Map<JobName, Cron>()
  let unsubscribe: (() => void) | undefined
  let isStopped = false
  const underWay = new Set<Promise<unknown>>()
  const missed = createMissedSlots(jobs, ports)

  async function execute(name: JobName, slotMs: number, actor: Actor, asOfMs?: number) {
    const startedAtMs = clock.nowMs()
    const slot = { name, slotMs, startedAtMs }
    const isOurs = await database.write(() => runs.claim(slot, slotMs - RUNS_KEPT_MS))
    if (!isOurs) return undefined
    try {
      const result = await jobs[name].run(asOfMs ?? startedAtMs)
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
        const details = { job: name, outcome }
        await journal.append({ action: 'job.ran', level, actor, details, texts: { result } })
      })
    }
  }

  function underWayUntil(work: Promise<unknown>): void {
    // A failure was logged and put on record where it happened.
    const settled = work.catch((): undefined => undefined)
    underWay.add(settled)
    void settled.then(() => underWay.delete(settled))
  }

  function onSlot(name: JobName, slotMs: number): void {
    // The task that runs every few minutes also triggers the search for slots that were missed while the machine slept.
    underWayUntil(execute(name, slotMs, systemActor).then(() => (jobs[name].isQuiet ? makeUp() : undefined)))
  }

  /** Runs the missed slots, one after the other. */
  async function makeUp(): Promise<void> {
    try {
      for (const { name, slotMs, asOfMs } of await missed.find()) {
        if (isStopped) return
        log.info({ job: name, slot: new Date(slotMs) }, 'a task of the calendar was missed and runs now')
        // A failure was logged and put on record where it happened; the other tasks are due all the same.
        await execute(name, slotMs, systemActor, asOfMs).catch((): undefined => undefined)
      }
    } catch (err) {
      log.error({ err }, 'looking for missed tasks of the calendar failed, trying again')
    }
  }

  function startTimers(): void {
    for (const timer of timers.values()) timer.stop()
    const { timeZone: timezone } = settings.current()
    timers = new Map()
    for (const name of jobNames) {
      const { pattern } = jobs[name]
      if (pattern === undefined) continue
      const timer = new Cron(pattern, { timezone, unref: true }, (self) => {
        // Rounded to the minute, because another server may be some seconds late. All patterns are whole minutes.
        const startedAtMs = self.currentRun()?.getTime() ?? clock.nowMs()
        onSlot(name, Math.round(startedAtMs / MINUTE_MS) * MINUTE_MS)
      })
      timers.set(name, timer)
    }
  }

  return {
    start() {
      startTimers()
      let { timeZone } = settings.current()
      unsubscribe = events.subscribe(({ type }) => {
        if (type !== 'settingsChanged' || settings.current().timeZone === timeZone) return
        timeZone = settings.current().timeZone
        startTimers()
      })
      underWayUntil(makeUp())
    },
    async stop() {
      isStopped = true
      unsubscribe?.()
      for (const timer of timers.values()) timer.stop()
      await Promise.all(underWay)
    },
    /** Runs a task now. @throws the errors of the task */
    async run(name: JobName, actor: Actor): Promise<string> {
      return (await execute(name, clock.nowMs(), actor)) ?? ''
    },
    async statuses(): Promise<JobStatus[]> {
      const last = await runs.lastOfEach()
      return jobNames.map((name) => {
        const job = jobs[name]
        const run = last.get(name)
        const next = timers.get(name)?.nextRun(new Date(clock.nowMs()))
        return {
          name,
          schedule: job.pattern ?? job.schedule ?? '',
          lastRunAt: run && instantOf(run.startedAtMs),
          lastOutcome: run?.outcome ?? undefined,
          lastResult: run?.result ?? undefined,
          nextRunAt: next ? instantOf(next.getTime()) : undefined,
        }
      })
    },
  }
}
