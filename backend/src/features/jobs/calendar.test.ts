import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { jobNames, type JobName, type SettingsAnswer } from '@escale/protocol'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createMonotonicClock } from '../../clock.ts'
import { createAppEvents } from '../../events.ts'
import { startTestApp, useFakeTime, type TestApp } from '../../testing/app.ts'
import { createCalendar } from './calendar.ts'
import type { Job } from './jobs.ts'
import { createJobRunRepository } from './repository.ts'

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

/** The same function for every job. */
function onlyJob(job: Job): Record<JobName, Job> {
  const jobs: Partial<Record<JobName, Job>> = {}
  for (const name of jobNames) jobs[name] = job
  return jobs as Record<JobName, Job>
}

describe('the calendar', () => {
  it('shows its jobs with their next run, and each can be run by hand', async () => {
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

  it('gives each slot to only one of several servers', async () => {
    const slot = { name: 'old_logs', slotMs: 1_000, startedAtMs: 1_000 } as const
    const claims = await Promise.all(
      Array.from({ length: 5 }, () => test.db.write(() => createJobRunRepository(test.db).claim(slot, 0))),
    )
    expect(claims.filter(Boolean)).toHaveLength(1)
  })

  it('runs a due job once when two servers start it at the same moment', async () => {
    useFakeTime(Date.parse('2026-03-02T04:59:30Z'))
    const site = await startTestApp({ isFollowingDate: true })
    onTestFinished(() => site.stop())
    const elsewhere = await site.startAnother()
    // 06:00 in the site's time zone: yesterday's report is due.
    await vi.advanceTimersByTimeAsync(30_000)
    // Each server finishes what it has started.
    await elsewhere.close()
    await site.close()
    const ran = await site.db.models.logs.findAll({ where: { action: 'job.ran' } })
    expect(ran.map((row) => JSON.parse(row.get().details) as object)).toEqual([
      expect.objectContaining({ job: 'session_report', outcome: 'done' }),
    ])
    const slots = await site.db.models.jobRuns.findAll({ where: { name: 'session_report' } })
    expect(slots.map((row) => row.get())).toMatchObject([{ slotMs: Date.parse('2026-03-02T05:00:00Z') }])
  })

  it('records a job that failed, and continues', async () => {
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
      events: createAppEvents(),
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

describe('a server that is off at night', () => {
  const ranOf = async (site: TestApp) => {
    const rows = await site.db.models.logs.findAll({ where: { action: 'job.ran' }, order: ['id'] })
    return rows.map((row) => (JSON.parse(row.get().details) as { job: JobName }).job)
  }
  /** Waits until this many jobs have run, and returns them. */
  async function ran(site: TestApp, count: number): Promise<JobName[]> {
    let found = await ranOf(site)
    while (found.length < count) {
      await new Promise((resolve) => setImmediate(resolve))
      found = await ranOf(site)
    }
    await site.close()
    return ranOf(site)
  }

  it('runs each missed report, then each purge once', async () => {
    useFakeTime(Date.parse('2026-03-02T17:00:00Z'))
    const site = await startTestApp({ isFollowingDate: true })
    onTestFinished(() => site.stop())
    const ended = await site.startSession()
    await site.done('POST', `/api/sessions/${ended.id}/terminate`)
    await site.close()

    vi.setSystemTime(Date.parse('2026-03-05T08:00:00Z'))
    await site.restart()
    // The nights of the 3rd, 4th and 5th: two reports each.
    const reports: JobName[] = ['session_report', 'log_report']
    expect(await ran(site, 8)).toEqual([...reports, ...reports, ...reports, 'old_logs', 'old_sessions'])
    const told = await site.db.models.reports.findAll({ where: { kind: 'sessions' }, order: ['fromMs'] })
    expect(told.map((row) => new Date(row.get().fromMs).toISOString())).toEqual([
      '2026-03-01T23:00:00.000Z',
      '2026-03-02T23:00:00.000Z',
      '2026-03-03T23:00:00.000Z',
    ])
    expect(told[0]!.get().content).toContain('"sessions":1')

    // A missed job that was run is not run again.
    vi.setSystemTime(Date.parse('2026-03-05T09:00:00Z'))
    await site.restart()
    expect(await ran(site, 8)).toHaveLength(8)
  })

  it('does not run jobs of the time before its installation', async () => {
    useFakeTime(Date.parse('2026-03-02T17:00:00Z'))
    const site = await startTestApp({ isFollowingDate: true })
    onTestFinished(() => site.stop())
    expect(await ran(site, 0)).toEqual([])
  })
})

describe('a time zone that is changed', () => {
  it('moves the timers at once', async () => {
    useFakeTime(Date.parse('2026-03-02T04:00:00Z'))
    const site = await startTestApp({ isFollowingDate: true })
    onTestFinished(() => site.stop())
    const { jobs: _jobs, ...values } = await site.done<SettingsAnswer>('GET', '/api/parametres/')
    await site.done('PUT', '/api/parametres/', { ...values, timeZone: 'America/Martinique' })
    const slots = async () =>
      (await site.db.models.jobRuns.findAll({ where: { name: 'session_report' } })).map(
        (row) => row.get().slotMs,
      )
    // 06:00 in Paris, then in Fort-de-France.
    await vi.advanceTimersByTimeAsync(2 * 3_600_000)
    expect(await slots()).toEqual([])
    vi.setSystemTime(Date.parse('2026-03-02T09:59:30Z'))
    await vi.advanceTimersByTimeAsync(30_000)
    await site.close()
    expect(await slots()).toEqual([Date.parse('2026-03-02T10:00:00Z')])
  })
})

describe('old data', () => {
  it('are archived, read back and then purged, and the journal still verifies', async () => {
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

  it('are archived without personal data, and later removed from the archives too', async () => {
    const user = await test.createUser({
      firstName: 'Zoé',
      lastName: 'Unique',
      municipality: 'Xonrupt',
      sex: 'female',
    })
    const ended = await test.startSession({ userId: user.id })
    await test.done('POST', `/api/sessions/${ended.id}/terminate`, { reason: 'Mme Unique' })
    test.advanceClock(400 * DAY_MS)
    await run('old_sessions')
    await run('old_logs')
    const files = readdirSync(join(test.folder, 'archives'))
    for (const file of files) expect(JSON.stringify(archive(file).rows)).not.toMatch(/Unique|Xonrupt/)
    for (const file of files) expect(JSON.stringify(archive(file).rows)).not.toContain(user.id)

    test.advanceClock(5 * 365 * DAY_MS)
    await run('old_sessions')
    const left = readdirSync(join(test.folder, 'archives'))
    for (const file of files) expect(left).not.toContain(file)
    expect(await test.db.models.archives.count({ where: { file: files } })).toBe(0)
  })

  it('that an earlier release archived with user ids are rewritten at the start', async () => {
    const folder = join(test.folder, 'archives')
    mkdirSync(folder, { recursive: true })
    const row = { id: 's1', userId: 'u1', state: 'ended', ageBand: '80+', municipality: 'Xonrupt' }
    const name = 'sessions-2020-01.ndjson.gz'
    writeFileSync(join(folder, name), gzipSync(`${JSON.stringify(row)}\n`))
    const noted = { kind: 'sessions' as const, fromMs: 0, toMs: 1, rowCount: 1, sha256: '', verifiedAtMs: 0 }
    await test.db.models.archives.create({ file: name, ...noted, isAnonymous: false })
    await test.db.models.archives.create({ file: 'sessions-gone.ndjson.gz', ...noted, isAnonymous: false })
    await test.restart()
    const { rows, sha256 } = archive(name)
    expect(rows).toEqual([{ id: 's1', state: 'ended' }])
    const found = (await test.db.models.archives.findByPk(name))?.get()
    expect(found).toMatchObject({ sha256, isAnonymous: true, fromMs: 0, toMs: 1 })
  })

  it('stay as long as the journal is not sealed up to them', async () => {
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

  it('are archived month by month', async () => {
    const ended = await test.startSession()
    await test.done('POST', `/api/sessions/${ended.id}/terminate`)
    test.advanceClock(31 * DAY_MS)
    const { lastResult } = await run('monthly_archive')
    const [file] = /sessions-\d{4}-\d{2}\.ndjson\.gz/.exec(lastResult) ?? []
    expect(archive(file!).rows).toEqual([expect.objectContaining({ id: ended.id, endReason: 'terminated' })])
    expect(lastResult).toContain(archive(file!).sha256)
  })
})
