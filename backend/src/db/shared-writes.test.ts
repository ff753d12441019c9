import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { AppError } from '../errors.ts'
import { createTestDatabase } from '../testing/database.ts'
import { openDatabase, type Store } from './database.ts'

let folder: string
let database: Store
let drop: () => Promise<void>
let settled: string[]

beforeEach(async () => {
  settled = []
  folder = mkdtempSync(join(tmpdir(), 'escale-shared-'))
  const made = await createTestDatabase(folder)
  drop = made.drop
  database = await openDatabase(made.url, pino({ level: 'silent' }))
})
afterEach(async () => {
  await database.close()
  await drop()
  rmSync(folder, { recursive: true })
})

const save = (key: string) =>
  database.models.throttles.create(
    { key, failures: 0, windowStartMs: 0, level: 0, blockedUntilMs: 0 },
    database.scope(),
  )
const keys = async () => (await database.models.throttles.findAll()).map((row) => row.get().key).sort()

/** Writes that come while another is under way, and so share a transaction. */
async function share(works: Record<string, () => Promise<unknown>>): Promise<string[]> {
  const gate = Promise.withResolvers<undefined>()
  const before = database.write(() => gate.promise)
  const written = Object.entries(works).map(([name, work]) =>
    database
      .writeShared(async () => {
        await work()
        database.afterCommit(() => settled.push(`${name} told`))
      })
      .then(
        () => settled.push(`${name} done`),
        () => settled.push(`${name} refused`),
      ),
  )
  gate.resolve(undefined)
  await before
  await Promise.all(written)
  return settled
}

it('commit together, and nobody is told or answered before', async () => {
  const seen: number[] = []
  const counting = (key: string) => async () => {
    await save(key)
    seen.push(await database.models.throttles.count(database.scope()))
    expect(settled).toEqual([])
  }
  const outcome = await share({ a: counting('a'), b: counting('b'), c: counting('c') })
  expect(seen).toEqual([1, 2, 3])
  expect(outcome).toEqual(['a told', 'b told', 'c told', 'a done', 'b done', 'c done'])
  expect(await keys()).toEqual(['a', 'b', 'c'])
})

it('go on without one that is refused before it changed anything', async () => {
  let runs = 0
  const counted = (key: string) => async () => {
    runs += 1
    await save(key)
  }
  const refused = async () => {
    await database.models.throttles.findByPk('a', database.scope())
    throw new AppError('not-found')
  }
  const outcome = await share({ a: counted('a'), refused, b: counted('b') })
  expect(outcome).toEqual(['a told', 'b told', 'a done', 'refused refused', 'b done'])
  expect(await keys()).toEqual(['a', 'b'])
  expect(runs).toBe(2)
})

it('are each done again alone when one fails after a change, which alone is undone', async () => {
  const failing = async () => {
    await save('lost')
    throw new AppError('version-conflict')
  }
  const outcome = await share({ a: () => save('a'), failing, twice: () => save('a'), b: () => save('b') })
  expect(outcome).toContain('failing refused')
  expect(outcome).toContain('twice refused')
  expect(settled.filter((one) => one.endsWith('told'))).toEqual(['a told', 'b told'])
  expect(await keys()).toEqual(['a', 'b'])
})

it('fail together where nothing can be committed, and none is kept', async () => {
  const full = () => Promise.reject(Object.assign(new Error('no room'), { code: 'SQLITE_FULL' }))
  const outcome = await share({ a: () => save('a'), full, b: () => save('b') })
  expect(outcome).toEqual(['a refused', 'full refused', 'b refused'])
  expect(await keys()).toEqual([])
  await database.writeShared(() => save('c'))
  expect(await keys()).toEqual(['c'])
})

it('hand over what they gather at the end, all at once', async () => {
  const stored: string[][] = []
  const store = async (items: readonly string[]) => {
    stored.push([...items])
    for (const item of items) await save(item)
  }
  const add = (item: string) => () => database.together(store, item)
  await share({ a: add('a'), b: add('b') })
  await database.write(add('c'))
  expect(stored).toEqual([['a', 'b'], ['c']])
  expect(await keys()).toEqual(['a', 'b', 'c'])
})
