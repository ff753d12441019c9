import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Sequelize, Transaction } from 'sequelize'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectionOptions } from './connection.ts'
import { openDatabase, type Store } from './database.ts'
import { rewriteFile, textsBesideTheJournal } from './migrations/0008-texts-beside-the-journal.ts'

const log = pino({ level: 'silent' })
const SECRET = 'zébulon-qui-doit-partir'

let folder: string
let url: string
let database: Store

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'escale-erasure-'))
  url = `sqlite:${join(folder, 'escale.sqlite')}`
  database = await openDatabase(url, log)
})
afterEach(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

const user = (id: string, fields: object = {}) => ({
  ...{ id, firstName: 'Zoé', lastName: 'Martin', email: null, phone: null, birthDate: null, sex: null },
  ...{
    municipality: null,
    occupation: null,
    notes: SECRET.repeat(300),
    consentGiven: false,
    consentAtMs: null,
  },
  ...{ consentVersion: null, consentRevokedAtMs: null, photoName: null, searchText: '' },
  ...{ version: 1, createdAtMs: 0, updatedAtMs: 0, ...fields },
})
const insert = (id: string, fields?: object) =>
  database.write(() => database.models.users.create(user(id, fields), database.scope()))
const remove = (id: string) =>
  database.write(() => database.models.users.destroy({ where: { id }, ...database.scope() }))
const filesHolding = (text: string) =>
  readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(text))

describe('data removed from a SQLite database', () => {
  it('are in none of its files when the erasure is complete', async () => {
    for (let i = 0; i < 30; i += 1) await insert(`u${String(i)}`)
    expect(filesHolding(SECRET)).not.toEqual([])
    for (let i = 0; i < 30; i += 1) await remove(`u${String(i)}`)
    expect(filesHolding(SECRET)).not.toEqual([])
    expect(await database.completeErasure()).toBe(true)
    expect(filesHolding(SECRET)).toEqual([])
  })

  it('stay in the write-ahead log while another program reads it, and are removed at the next start', async () => {
    await insert('u')
    const reader = new Sequelize(connectionOptions(url))
    const reading = await reader.transaction({ type: Transaction.TYPES.DEFERRED })
    await reader.query('SELECT COUNT(*) FROM users', { transaction: reading })
    await remove('u')
    expect(await database.completeErasure()).toBe(false)
    expect(filesHolding(SECRET)).not.toEqual([])
    // Other writes continue in this time.
    await insert('v', { notes: null })

    await reading.commit()
    await reader.close()
    await database.close()
    database = await openDatabase(url, log)
    expect(filesHolding(SECRET)).toEqual([])
  })

  it('from before secure deletion are removed when the file is rewritten', async () => {
    const careless = new Sequelize(connectionOptions(url))
    await insert('u')
    await careless.query('PRAGMA secure_delete=OFF')
    await careless.query("DELETE FROM users WHERE id = 'u'")
    await careless.close()
    await database.completeErasure()
    expect(filesHolding(SECRET)).not.toEqual([])
    await rewriteFile(database.sequelize, log)
    await database.completeErasure()
    expect(filesHolding(SECRET)).toEqual([])
  })
})

describe('an upgrade to texts beside the journal', () => {
  it('rebuilds the search texts, and normalises telephone numbers', async () => {
    const fields = { lastName: 'O’Brien‑Mûre', phone: '+33\u00a06\u202f12 34 56 78', searchText: 'old' }
    await insert('u', fields)
    // Stations had a search text when this migration was written.
    await database.sequelize.query('ALTER TABLE stations ADD COLUMN search_text TEXT')
    await database.sequelize.transaction((transaction) =>
      textsBesideTheJournal.rebuild!(database.sequelize, transaction),
    )
    const row = (await database.models.users.findByPk('u'))?.get()
    expect(row?.phone).toBe('+33 6 12 34 56 78')
    expect(row?.searchText).toBe("o'brien-mure\nzoe\n\n+33 6 12 34 56 78\n\n0612345678\n33612345678")
  })
})
