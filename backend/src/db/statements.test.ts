import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createTestDatabase } from '../testing/database.ts'
import { openDatabase, type Store } from './database.ts'
import { columnsOf } from './statements.ts'

let folder: string
let database: Store
let drop: () => Promise<void>

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'escale-statements-'))
  const made = await createTestDatabase(folder)
  drop = made.drop
  database = await openDatabase(made.url, pino({ level: 'silent' }))
})
afterEach(async () => {
  await database.close()
  await drop()
  rmSync(folder, { recursive: true })
})

const INSERT = `INSERT INTO accounts (id, kind, label, role, is_active, secret_hash, version, created_at_ms, updated_at_ms)
  VALUES ($1, 'automation', $2, $3, $4, '', 1, $5, $5)`
const insert = (id: string, isActive: boolean) =>
  database.statement(INSERT).run(id, `Compte ${id}`, null, isActive, 1_800_000_000_000)
const find = () => {
  const { accounts } = database.models
  return database.statement(`SELECT ${columnsOf(accounts)} FROM accounts WHERE id = $1`, accounts)
}

it('return booleans, integers and absent values the same way on both engines', async () => {
  await database.write(() => insert('a', true))
  expect(await find().get('a')).toEqual({
    ...{ id: 'a', kind: 'automation', label: 'Compte a', role: null, isActive: true, secretHash: '' },
    ...{ version: 1, createdAtMs: 1_800_000_000_000, updatedAtMs: 1_800_000_000_000 },
  })
  expect(await find().get('b')).toBeUndefined()
  await database.write(() => insert('b', false))
  expect((await find().get('b'))?.isActive).toBe(false)
})

it('belong to the current write, and are rolled back with it', async () => {
  const failing = database.write(async () => {
    await insert('a', true)
    expect(await find().all('a')).toHaveLength(1)
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(await find().all('a')).toEqual([])
})

it('return the number of changed rows, or the written rows', async () => {
  const { accounts } = database.models
  const rename = `UPDATE accounts SET label = $2, version = version + 1 WHERE id = $1 AND version = $3`
  await database.write(async () => {
    await insert('a', true)
    expect(await database.statement(rename).run('a', 'Autre', 1)).toBe(1)
    expect(await database.statement(rename).run('a', 'Encore', 1)).toBe(0)
    const renamed = database.statement(`${rename} RETURNING ${columnsOf(accounts)}`, accounts)
    expect(await renamed.get('a', 'Encore', 2)).toMatchObject({ label: 'Encore', version: 3, isActive: true })
    expect(await renamed.get('a', 'Encore', 2)).toBeUndefined()
  })
})

it('fail with the same errors as other statements', async () => {
  await database.write(() => insert('a', true))
  await expect(database.write(() => insert('a', true))).rejects.toMatchObject({
    code: 'duplicate',
    extras: { errors: [{ pointer: '/id' }] },
  })
  await expect(database.statement('SELECT 1 FROM nowhere').all()).rejects.toThrow()
  // A statement that cannot be prepared does not disturb later ones.
  await database.write(() => insert('b', true))
  expect(await find().all('b')).toHaveLength(1)
})

it('are counted, including those of Sequelize and those that begin and end a write', async () => {
  const countOf = async (work: () => Promise<unknown>) => {
    const before = database.statementCount()
    await work()
    return database.statementCount() - before
  }
  const { accounts } = database.models
  expect(await countOf(() => find().get('a'))).toBe(1)
  expect(await countOf(() => accounts.findByPk('a'))).toBe(1)
  const ofTransaction = database.sequelize.getDialect() === 'sqlite' ? 2 : 3
  expect(await countOf(() => database.write(() => insert('a', true)))).toBe(ofTransaction + 1)
})
