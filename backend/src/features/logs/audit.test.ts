import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openDatabase, type Store } from '../../db/database.ts'
import { createTestDatabase, isOnPostgres } from '../../testing/database.ts'
import { createAppEvents } from '../../events.ts'
import { auditJournal } from './audit.ts'
import { createJournal, systemActor, toLog, type Journal } from './journal.ts'
import { createLogRepository, type LogRepository } from './repository.ts'

vi.setConfig({ testTimeout: 30_000 })

const script = fileURLToPath(new URL('../../cli/audit-verify.ts', import.meta.url))

let folder: string
let database: Store
let url: string
let drop: () => Promise<void>
let repository: LogRepository
let journal: Journal

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'escale-audit-'))
  ;({ url, drop } = await createTestDatabase(folder))
  database = await openDatabase(url, pino({ level: 'silent' }))
  repository = createLogRepository(database)
  journal = createJournal(database, repository, createAppEvents(), { nowMs: () => 1_800_000_000_000 })
})
afterEach(async () => {
  await database.close()
  await drop()
  rmSync(folder, { recursive: true })
})

const append = (count: number) =>
  database.write(async () => {
    for (let i = 0; i < count; i += 1)
      await journal.append({ action: 'station.updated', actor: systemActor, details: { i } })
  })
/** Changes the database as an intruder with full access could. */
async function tamper(...statements: string[]) {
  if (isOnPostgres()) await database.sequelize.query('ALTER TABLE logs DISABLE TRIGGER USER')
  else await dropTriggers()
  for (const statement of statements) await database.sequelize.query(statement)
}
async function dropTriggers() {
  for (const trigger of ['logs_no_update', 'logs_no_delete'])
    await database.sequelize.query(`DROP TRIGGER IF EXISTS ${trigger}`)
}
const audit = () => auditJournal(repository)
const purge = async (upToId: number) => {
  const { hash = '' } = (await repository.find(upToId)) ?? {}
  await database.models.logCheckpoints.create({ upToId, lastHash: hash, sealedAtMs: 0 })
  await database.sequelize.query(`DELETE FROM logs WHERE id <= ${upToId}`)
}

describe('the journal’s chain', () => {
  it('is valid over several batches of records', async () => {
    expect(await audit()).toMatchObject({ isWhole: true, count: 0 })
    await append(1_203)
    expect(await audit()).toMatchObject({ isWhole: true, count: 1_203, lastId: 1_203 })
  })

  it('is valid with and without the separate texts, but not with changed ones', async () => {
    const reasons = ['Mme Unique est partie', 'parti à midi', 'oui']
    await database.write(async () => {
      for (const reason of reasons)
        await journal.append({ action: 'session.terminated', actor: systemActor, texts: { reason } })
    })
    expect(await audit()).toMatchObject({ isWhole: true, count: 3 })
    const [first, second, third] = await repository.after(0, 10)
    for (const row of [first, second, third]) expect(row?.details).not.toMatch(/reason|midi/)
    expect([first, second, third].map((row) => toLog(row!).details['reason'])).toEqual(reasons)

    await database.sequelize.query('DELETE FROM log_notes WHERE log_id = 1')
    expect(await audit()).toMatchObject({ isWhole: true, count: 3 })
    expect(toLog((await repository.find(1))!).details).not.toHaveProperty('reason')
    expect(toLog((await repository.find(2))!).details).toMatchObject({ reason: 'parti à midi' })
    await database.sequelize.query(`UPDATE log_notes SET content = '{"reason":"non"}' WHERE log_id = 3`)
    expect(await audit()).toEqual({ isWhole: false, brokenId: 3, reason: 'text-altered' })
    await database.sequelize.query('DELETE FROM log_notes')
    await append(1)
    await database.sequelize.query(
      `INSERT INTO log_notes (log_id, salt, content, search_text) VALUES (4, '', '{"reason":"x"}', '')`,
    )
    expect(await audit()).toEqual({ isWhole: false, brokenId: 4, reason: 'text-altered' })
  })

  it('is valid after parallel writes', async () => {
    await Promise.all(Array.from({ length: 50 }, () => append(2)))
    expect(await audit()).toMatchObject({ isWhole: true, count: 100 })
  })

  it.each([
    ['details', `UPDATE logs SET details = '{"i":9}' WHERE id = 4`, 4, 'altered'],
    ['the actor', `UPDATE logs SET actor_id = 'someone' WHERE id = 1`, 1, 'altered'],
    ['the instant', `UPDATE logs SET at_ms = at_ms + 1 WHERE id = 10`, 10, 'altered'],
    ['a station that was none', `UPDATE logs SET station_id = '' WHERE id = 3`, 3, 'altered'],
    ['a removed record', 'DELETE FROM logs WHERE id = 5', 5, 'missing'],
    ['a removed beginning', 'DELETE FROM logs WHERE id <= 5', 1, 'missing'],
    ['a hash', `UPDATE logs SET hash = prev_hash WHERE id = 7`, 7, 'altered'],
    ['a link', `UPDATE logs SET prev_hash = hash WHERE id = 7`, 7, 'unlinked'],
  ])('detects a change of %s', async (_what, statement, brokenId, reason) => {
    await append(10)
    await tamper(statement)
    expect(await audit()).toEqual({ isWhole: false, brokenId, reason })
  })

  it('is valid above a seal when the records below it were purged, even if these are all', async () => {
    await append(10)
    await purge(6)
    expect(await audit()).toMatchObject({ isWhole: true, count: 4, lastId: 10 })
    await purge(10)
    expect(await audit()).toMatchObject({ isWhole: true, count: 0, lastId: 10 })
    await append(2)
    expect(await audit()).toMatchObject({ isWhole: true, count: 2, lastId: 12 })
    await tamper('DELETE FROM logs WHERE id = 11')
    expect(await audit()).toMatchObject({ isWhole: false, brokenId: 11 })
  })
})

describe('npm run audit:verify', () => {
  const verify = (dataDir = folder, databaseUrl = isOnPostgres() ? url : '') =>
    new Promise<{ code: number; lines: string[] }>((resolve) => {
      const env = { ...process.env, ESCALE_DATA_DIR: dataDir, DATABASE_URL: databaseUrl }
      const child = execFile(process.execPath, [script], { env, cwd: folder }, (_err, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, lines: (stdout + stderr).split('\n').filter(Boolean) }),
      )
    })

  it('exits with 0 and one line for a valid chain, with 1 and the record for an invalid one', async () => {
    await append(5)
    const whole = await verify()
    expect(whole.code).toBe(0)
    expect(whole.lines).toEqual([expect.stringContaining('5 records')])
    await tamper(`UPDATE logs SET level = 'error' WHERE id = 3`)
    const broken = await verify()
    expect(broken.code).toBe(1)
    expect(broken.lines).toEqual([expect.stringContaining('broken at record 3')])
  })

  it('creates no database if there is none', async () => {
    const { code, lines } = await verify(join(folder, 'nowhere'), '')
    expect(code).toBe(2)
    expect(lines.join(' ')).toContain(join(folder, 'nowhere'))
    expect(existsSync(join(folder, 'nowhere'))).toBe(false)
  })
})
