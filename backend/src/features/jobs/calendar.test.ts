import { readFileSync, readdirSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { jobNames, type JobName, type SettingsAnswer } from '@escale/protocol'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createMonotonicClock } from '../../clock.ts'
import { startTestApp, useFakeTime, type TestApp } from '../../testing.ts'
import { createCalendar, createJobRunRepository, type Job } from './index.ts'

const DAY_MS = 24 * 3_600_000
let test: TestApp

beforeEach(async () => {
  test = await startTestApp()
})
afterEach(() => test.stop({ isErrorExpected: true }))

const settings = () => test.done<SettingsAnswer>('GET', '/api/parametres/')
const run = (name: string) => test.done<{ lastResult: string }>('POST', `/api/parametres/taches/${name}/`)
const archive = (file: string) => {
  const bytes = readFileSync(join(test.folder, 'archives', file))
  const lines = gunzipSync(bytes).toString().trim().split('\n')
  return {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    rows: lines.map((line) => JSON.parse(line) as object),
  }
}

/** The same work under every name. */
function onlyJob(job: Job): Record<JobName, Job> {
  const jobs: Partial<Record<JobName, Job>> = {}
  for (const name of jobNames) jobs[name] = job
  return jobs as Record<JobName, Job>
}

describe('the calendar', () => {
  it('shows eight tasks with their next run, each of which can be run by hand', async () => {
    const { jobs } = await settings()
    expect(jobs.map(({ name }) => name)).toEqual([...jobNames])
    const scheduled = jobs.filter(({ nextRunAt }) => nextRunAt !== undefined)
    expect(scheduled.map(({ name }) => name)).toEqual([
      'expired_sessions',
      'old_logs',
      'old_sessions',
      'session_report',
      'log_report',
      'monthly_archive',
    ])
    for (const { nextRunAt } of scheduled) expect(Date.parse(nextRunAt!)).toBeGreaterThan(test.clock.nowMs())
    for (const name of jobNames) await run(name)
    const after = (await settings()).jobs
    expect(
      after.every(({ lastOutcome, lastRunAt }) => lastOutcome === 'done' && lastRunAt !== undefined),
    ).toBe(true)
    expect(await test.journal('action=job.ran')).toHaveLength(jobNames.length - 1)
  })

  it('gives each slot to one of several servers', async () => {
    const slot = { name: 'old_logs', slotMs: 1_000, startedAtMs: 1_000 } as const
    const claims = await Promise.all(
      Array.from({ length: 5 }, () => test.db.write(() => createJobRunRepository(test.db).claim(slot, 0))),
    )
    expect(claims.filter(Boolean)).toHaveLength(1)
  })

  it('runs what is due once, though two servers come to it at the same moment', async () => {
    useFakeTime(Date.parse('2026-03-02T04:59:30Z'))
    const site = await startTestApp({ isFollowingDate: true })
    onTestFinished(() => site.stop())
    const elsewhere = await site.startAnother()
    // Six in the morning of the site: the report of yesterday.
    await vi.advanceTimersByTimeAsync(30_000)
    // Each ends what it has begun.
    await elsewhere.close()
    await site.close()
    const ran = await site.db.models.logs.findAll({ where: { action: 'job.ran' } })
    expect(ran.map((row) => JSON.parse(row.get().details) as object)).toEqual([
      expect.objectContaining({ job: 'session_report', outcome: 'done' }),
    ])
    const slots = await site.db.models.jobRuns.findAll({ where: { name: 'session_report' } })
    expect(slots.map((row) => row.get())).toMatchObject([{ slotMs: Date.parse('2026-03-02T05:00:00Z') }])
  })

  it('notes a task that failed, and goes on', async () => {
    const failing = { run: () => Promise.reject(new Error('disk full')) }
    const jobs = onlyJob(failing)
    const journal: string[] = []
    const calendar = createCalendar(jobs, {
      database: test.db,
      runs: createJobRunRepository(test.db),
      settings: { current: () => ({ timeZone: 'Europe/Paris' }) } as Parameters<
        typeof createCalendar
      >[1]['settings'],
      journal: { append: async ({ level }) => void journal.push(level ?? 'info') },
      clock: createMonotonicClock(),
      log: test.app.http.log as Parameters<typeof createCalendar>[1]['log'],
    })
    const actor = { type: 'system', id: 'system', label: 'escale' } as const
    await expect(calendar.run('old_logs', actor)).rejects.toThrow('disk full')
    const [status] = (await calendar.statuses()).filter(({ name }) => name === 'old_logs')
    expect(status).toMatchObject({ lastOutcome: 'failed', lastResult: 'disk full' })
    expect(journal).toEqual(['error'])
  })
})

describe('what is old', () => {
  it('is archived, read back and then purged, and the journal still verifies', async () => {
    const ended = await test.startSession()
    await test.done('POST', `/api/sessions/${ended.id}/terminate`)
    const before = await test.journal()
    test.advanceClock(400 * DAY_MS)
    const recent = await test.createSession()

    expect((await run('old_sessions')).lastResult).toContain('1 sessions purged')
    expect((await test.call('GET', `/api/sessions/${ended.id}`)).status).toBe(404)
    expect((await test.session(recent.id)).state).toBe('pending')

    expect((await run('old_logs')).lastResult).toContain(`${before.length} records purged`)
    const after = await test.journal()
    expect(after[0]).toMatchObject({ id: before.length + 1, prevHash: before.at(-1)!['hash'] })
    const files = readdirSync(join(test.folder, 'archives'))
    expect(files).toHaveLength(2)
    const logs = archive(files.find((file) => file.startsWith('logs-'))!)
    expect(logs.rows).toHaveLength(before.length)
    const noted = (await test.db.models.archives.findAll()).map((row) => row.get())
    expect(noted.find(({ kind }) => kind === 'logs')).toMatchObject({
      sha256: logs.sha256,
      rowCount: before.length,
    })
  })

  it('stays as long as the journal is not sealed below it', async () => {
    await test.createUser()
    await test.createUser()
    await expect(test.db.sequelize.query('DELETE FROM logs')).rejects.toThrow()
    const id = (await test.journal()).length
    const values = `(${id - 1}, 'hash', 0)`
    await test.db.sequelize.query(
      `INSERT INTO log_checkpoints (up_to_id, last_hash, sealed_at_ms) VALUES ${values}`,
    )
    await expect(test.db.sequelize.query('DELETE FROM logs')).rejects.toThrow()
    await expect(test.db.sequelize.query('UPDATE log_checkpoints SET up_to_id = 99')).rejects.toThrow()
    await expect(test.db.sequelize.query('DELETE FROM log_checkpoints')).rejects.toThrow()
  })

  it('is archived month by month', async () => {
    const ended = await test.startSession()
    await test.done('POST', `/api/sessions/${ended.id}/terminate`)
    test.advanceClock(31 * DAY_MS)
    const { lastResult } = await run('monthly_archive')
    const [file] = /sessions-\d{4}-\d{2}\.ndjson\.gz/.exec(lastResult) ?? []
    expect(archive(file!).rows).toEqual([expect.objectContaining({ id: ended.id, endReason: 'terminated' })])
    expect(lastResult).toContain(archive(file!).sha256)
  })
})
