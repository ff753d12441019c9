import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { Sequelize, Transaction } from 'sequelize'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../testing/app.ts'
import { connectionOptions } from './connection.ts'

let test: TestApp
beforeEach(async () => {
  test = await startTestApp()
})
afterEach(() => test.stop({ isErrorExpected: true }))

const visitor = (lastName: string) =>
  test.call('POST', '/api/utilisateurs', { body: { firstName: 'Zoé', lastName, consentGiven: true } })
const readyz = () => test.call('GET', '/readyz', { token: null })
const names = async () =>
  (await test.done<{ results: { lastName: string }[] }>('GET', '/api/utilisateurs')).results.map(
    ({ lastName }) => lastName,
  )

const refusal = (fr: RegExp) => ({
  status: 503,
  body: { code: 'storage-unavailable', detail: expect.stringMatching(fr) as string },
})

describe('while another program holds the lock of the database', () => {
  it('writes are refused in time with a clear error, reads work, and writes work again afterwards', async () => {
    const other = new Sequelize(connectionOptions(test.databaseUrl))
    const held = await other.transaction({ type: Transaction.TYPES.IMMEDIATE })
    const refused = await Promise.all(['A', 'B', 'C', 'D', 'E', 'F'].map(visitor))
    for (const answer of refused) {
      expect(answer).toMatchObject(refusal(/tient la base de données/))
      expect(answer.headers['retry-after']).toBe('5')
    }
    expect(await readyz()).toMatchObject(refusal(/tient la base de données/))
    expect(await names()).toEqual([])
    await held.rollback()
    await other.close()
    expect((await visitor('G')).status).toBe(201)
    expect(await readyz()).toMatchObject({ status: 200, body: { status: 'ready' } })
    expect(await names()).toEqual(['G'])
  })
})

describe('while the database file is missing', () => {
  it('no new file is created, and the data are back when the file is back', async () => {
    await visitor('A')
    const file = join(test.folder, 'escale.sqlite')
    renameSync(file, `${file}.away`)
    expect(await visitor('B')).toMatchObject(refusal(/n’est plus à sa place/))
    expect(await readyz()).toMatchObject(refusal(/n’est plus à sa place/))
    expect(existsSync(file)).toBe(false)
    renameSync(`${file}.away`, file)
    expect(await readyz()).toMatchObject({ status: 200 })
    expect((await visitor('C')).status).toBe(201)
    expect((await names()).toSorted()).toEqual(['A', 'C'])
  })
})

describe('the check whether the database accepts writes', () => {
  it('runs at most once in two seconds, however often it is asked for', async () => {
    const marks = async () => {
      const [rows] = await test.db.sequelize.query("SELECT value FROM site_marks WHERE name = 'stored'")
      return (rows as { value: string }[])[0]?.value
    }
    await test.createUser()
    const before = await marks()
    const answers = await Promise.all(Array.from({ length: 50 }, readyz))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    // The write of the visitor has just shown it.
    expect(await marks()).toBe(before)
  })
})
