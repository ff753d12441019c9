import { Cron } from 'croner'
import type { Actor, JobName, JobStatus } from '@escale/protocol'
import { MINUTE_MS, instantOf, jobNames } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import { systemActor, type Journal } from '../logs/index.ts'
import type { Settings } from '../settings/index.ts'
import type { Database } from '../../db/database.ts'
import type { AppEvents } from '../../events.ts'
import type { JobRunRepository } from './repository.ts'

/** One task of the calendar. */
export interface Job {
  /** Cron pattern in the site's time zone; undefined for what deadlines do, which the calendar only shows. */
  pattern?: string
  /** In words, for a task without a pattern. */
  schedule?: string
  /** Runs so often that the journal hears of failures only. */
  isQuiet?: boolean
  /** Tells of the day or the month before its slot: of missed slots, each is made up. Others do all at once. */
  isOfItsSlot?: boolean
  /** Does the work as of `nowMs`; @returns what was done, in a few words */
  run(nowMs: number): Promise<string>
}

export type Jobs = Record<JobName, Job>

export interface CalendarPorts {
  database: Database
  runs: JobRunRepository
  settings: Settings
  journal: Journal
  events: AppEvents
  clock: Clock
  log: Logger
}

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
 * several servers. Slots that were missed, because the server was off or the machine asleep, are made up: those that
 * tell of their day first, so that they find what the others take away.
 */
export function createCalendar(jobs: Jobs, ports: CalendarPorts): Calendar {
  const { database, runs, settings, journal, events, clock, log } = ports
  let timers: Cron[] = []
  let unsubscribe: (() => void) | undefined
  let isStopped = false
  /** Until when missed slots were looked for; undefined before the first look. */
  let lookedUntilMs: number | undefined
  const underWay = new Set<Promise<unknown>>()

  async function execute(
    name: JobName,
    slotMs: number,
    actor: Actor,
    asOfMs?: number,
  ): Promise<string | undefined> {
    const startedAtMs = clock.nowMs()
    const isOurs = await database.write(() => runs.claim({ name, slotMs, startedAtMs }, slotMs - KEPT_MS))
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

  function underWayUntil(work: Promise<unknown>): void {
    // Whatever failed was logged and noted where it failed.
    const settled = work.catch((): undefined => undefined)
    underWay.add(settled)
    void settled.then(() => underWay.delete(settled))
  }

  function onSlot(name: JobName, slotMs: number): void {
    // The frequent one also notices that the machine has slept.
    underWayUntil(execute(name, slotMs, systemActor).then(() => (jobs[name].isQuiet ? makeUp() : undefined)))
  }

  /** Runs what should have run since the last look, one after the other. */
  async function makeUp(): Promise<void> {
    try {
      for (const { name, slotMs, asOfMs } of await missedSlots()) {
        if (isStopped) return
        log.info({ job: name, slot: new Date(slotMs) }, 'a task of the calendar was missed, and is made up')
        // Logged and noted where it failed; the others are due all the same.
        await execute(name, slotMs, systemActor, asOfMs).catch((): undefined => undefined)
      }
    } catch (err) {
      log.error({ err }, 'looking for missed tasks of the calendar failed, trying again')
    }
  }

  async function missedSlots(): Promise<MissedSlot[]> {
    const nowMs = clock.nowMs()
    const fromMs = lookedUntilMs ?? Math.max(await sinceMs(nowMs), nowMs - KEPT_MS)
    const missed: MissedSlot[] = []
    for (const name of jobNames) {
      const job = jobs[name]
      if (job.pattern === undefined || job.isQuiet) continue
      const slots = slotsBetween(job.pattern, fromMs, nowMs)
      if (slots.length > 0) missed.push(...missedOf(name, job, slots, await runs.slotsSince(name, fromMs)))
    }
    lookedUntilMs = nowMs
    return missed.toSorted(inOrder)
  }

  /** Since when this site has a calendar; from the first start on. */
  async function sinceMs(nowMs: number): Promise<number> {
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

  function startTimers(): void {
    for (const timer of timers) timer.stop()
    const { timeZone: timezone } = settings.current()
    timers = jobNames.flatMap((name) => {
      const { pattern } = jobs[name]
      if (pattern === undefined) return []
      return new Cron(pattern, { timezone, unref: true }, (self) => {
        // Of two servers, one may be late by seconds: all patterns are whole minutes.
        const startedAtMs = self.currentRun()?.getTime() ?? clock.nowMs()
        onSlot(name, Math.round(startedAtMs / MINUTE_MS) * MINUTE_MS)
      })
    })
  }

  const nextRunMs = ({ pattern }: Job): number | undefined => {
    if (pattern === undefined) return undefined
    const { timeZone: timezone } = settings.current()
    return new Cron(pattern, { timezone, paused: true }).nextRun(new Date(clock.nowMs()))?.getTime()
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

interface MissedSlot {
  name: JobName
  slotMs: number
  /** Undefined for what does all until now. */
  asOfMs: number | undefined
}

/** @param ran slots that were run, by hand too */
function missedOf(name: JobName, job: Job, slots: readonly number[], ran: readonly number[]): MissedSlot[] {
  if (job.isOfItsSlot)
    return slots.filter((slot) => !ran.includes(slot)).map((slotMs) => ({ name, slotMs, asOfMs: slotMs }))
  const newest = slots.at(-1) ?? 0
  return ran.some((slot) => slot >= newest) ? [] : [{ name, slotMs: newest, asOfMs: undefined }]
}

/** What tells of its slot goes before what takes away; each by its slot. */
function inOrder(a: MissedSlot, b: MissedSlot): number {
  const isLater = (one: MissedSlot) => (one.asOfMs === undefined ? 1 : 0)
  return isLater(a) - isLater(b) || a.slotMs - b.slotMs
}
