import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase, type Store } from './database.ts'
import { createTestDatabase } from '../testing/database.ts'

const log = pino({ level: 'silent' })
let database: Store
let url: string
let drop: () => Promise<void>

beforeEach(async () => {
  ;({ url, drop } = await createTestDatabase(''))
  database = await openDatabase(url, log)
})
afterEach(async () => {
  await database.close()
  await drop()
})

const save = (key: string, failures: number, { models, scope }: Store = database) =>
  models.throttles.create({ key, failures, windowStartMs: 0, level: 0, blockedUntilMs: 0 }, scope())

describe('on PostgreSQL', () => {
  /** PostgreSQL's error for a transaction that must be repeated. */
  const refuse = (code: string) =>
    database.sequelize.query(
      `DO $$ BEGIN RAISE EXCEPTION 'try again' USING ERRCODE = '${code}'; END $$`,
      database.scope(),
    )

  it.each(['40001', '40P01'])('a write that fails with %s is repeated from its start', async (code) => {
    let attempts = 0
    const told: number[] = []
    await database.write(async () => {
      attempts += 1
      const attempt = attempts
      database.afterCommit(() => told.push(attempt))
      await save('again', attempt)
      if (attempt < 3) await refuse(code)
    })
    expect(told).toEqual([3])
    expect((await database.models.throttles.findByPk('again'))?.get().failures).toBe(3)
  })

  it('a write that is refused again and again fails in the end, and later writes succeed', async () => {
    let attempts = 0
    const hopeless = database.write(async () => {
      attempts += 1
      await refuse('40001')
    })
    await expect(hopeless).rejects.toMatchObject({
      code: 'storage-unavailable',
      extras: { detail: { en: expect.stringContaining('Try again') as string } },
    })
    expect(attempts).toBe(5)
    await save('next', 0)
  })

  it('several servers start at the same time on an empty database, and write one after the other', async () => {
    await database.sequelize.query('DROP SCHEMA public CASCADE')
    await database.sequelize.query('CREATE SCHEMA public')
    const servers = await Promise.all([url, url, url].map((shared) => openDatabase(shared, log)))
    const seen = await Promise.all(
      Array.from({ length: 60 }, (_, i) => {
        const server = servers[i % 3] ?? database
        return server.write(async () => {
          const count = await server.models.throttles.count(server.scope())
          await save(`k${i}`, count, server)
          return count
        })
      }),
    )
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i))
    for (const server of servers) await server.close()
  })

  it('a write whose connection is lost before its commit is repeated from its start', async () => {
    const other = await openDatabase(url, log)
    const cutAllOthers = () =>
      other.sequelize.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      )
    await cutAllOthers()
    await database.write(() => save('after idling', 0))
    let attempts = 0
    await database.write(async () => {
      attempts += 1
      await save('once', attempts)
      if (attempts === 1) await cutAllOthers()
      await save('more', attempts)
    })
    const rows = (await database.models.throttles.findAll()).map((row) => row.get())
    const saved = Object.fromEntries(rows.map(({ key, failures }) => [key, failures]))
    expect(saved).toEqual({ 'after idling': 0, once: 2, more: 2 })
    await other.close()
  })

  it('a write sees earlier commits even if the site’s default isolation level is another', async () => {
    const name = new URL(url).pathname.slice(1)
    await database.sequelize.query(
      `ALTER DATABASE ${name} SET default_transaction_isolation = 'repeatable read'`,
    )
    const servers = await Promise.all([url, url].map((shared) => openDatabase(shared, log)))
    await database.write(() => save('count', 0))
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const { write, models, scope } = servers[i % 2] ?? database
        return write(async () => {
          const failures = (await models.throttles.findByPk('count', scope()))?.get().failures ?? 0
          await models.throttles.update({ failures: failures + 1 }, { where: { key: 'count' }, ...scope() })
        })
      }),
    )
    expect((await database.models.throttles.findByPk('count'))?.get().failures).toBe(20)
    for (const server of servers) await server.close()
  })
})
