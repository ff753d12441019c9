import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { searchTextOf } from '../domain/search-text.ts'
import { searchAndVersions } from './migrations/0003-search-and-versions.ts'
import { openDatabase, type Store } from './database.ts'
import { putMark } from './marks.ts'
import { createTestDatabase } from '../testing/database.ts'

let folder: string
let database: Store
let url: string
let drop: () => Promise<void>
const lines: string[] = []

beforeEach(async () => {
  lines.length = 0
  folder = mkdtempSync(join(tmpdir(), 'escale-database-'))
  const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) })
  ;({ url, drop } = await createTestDatabase(folder))
  database = await openDatabase(url, log)
})
afterEach(async () => {
  await database.close()
  await drop()
  rmSync(folder, { recursive: true })
})

const save = (key: string, failures: number) =>
  database.models.throttles.create(
    { key, failures, windowStartMs: 0, level: 0, blockedUntilMs: 0 },
    database.scope(),
  )
const keys = async () => (await database.models.throttles.findAll()).map((row) => row.get().key)

describe('writes', () => {
  it('all commit, one after the other, however many start at the same time', async () => {
    const order: number[] = []
    const write = (i: number) =>
      database.write(async () => {
        // Each sees all earlier writes and no later ones.
        const seen = await database.models.throttles.count(database.scope())
        await save(`k${i}`, seen)
        database.afterCommit(() => order.push(i))
        return seen
      })
    const seen = await Promise.all(Array.from({ length: 100 }, (_, i) => write(i)))
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect(order).toEqual(seen)
    expect(await database.models.throttles.count()).toBe(100)
  })

  it('change nothing when they throw, call no listener, and do not stop later ones', async () => {
    let isTold = false
    const failing = database.write(async () => {
      await save('lost', 0)
      database.afterCommit(() => {
        isTold = true
      })
      throw new Error('no')
    })
    const next = database.write(() => save('kept', 0))
    await expect(failing).rejects.toThrow('no')
    await next
    expect(await keys()).toEqual(['kept'])
    expect(isTold).toBe(false)
  })

  it('share one transaction when one is called inside another', async () => {
    const outer = database.write(async () => {
      await database.write(() => save('inner', 0))
      throw new Error('no')
    })
    await expect(outer).rejects.toThrow()
    expect(await keys()).toEqual([])
  })

  it('call their listeners after the commit, in the order of commits', async () => {
    const told: string[] = []
    await database.write(async () => {
      database.afterCommit(() => told.push('first'))
      await save('a', 0)
      database.afterCommit(() => told.push('second'))
      expect(told).toEqual([])
    })
    expect(told).toEqual(['first', 'second'])
    expect(() => database.afterCommit(() => undefined)).toThrow()
  })

  it('stay committed when a listener fails, and the other listeners are called', async () => {
    let isTold = false
    const value = await database.write(async () => {
      database.afterCommit(() => {
        throw new Error('a listener failed')
      })
      database.afterCommit(() => {
        isTold = true
      })
      await save('a', 0)
      return 'done'
    })
    expect(value).toBe('done')
    expect(isTold).toBe(true)
    expect(lines.join()).toContain('a listener failed')
  })

  it('can be started by a listener of a commit', async () => {
    const followed = Promise.withResolvers<unknown>()
    await database.write(async () => {
      await save('a', 0)
      database.afterCommit(() => followed.resolve(database.write(() => save('b', 0))))
    })
    await followed.promise
    expect(await keys()).toEqual(['a', 'b'])
  })

  it('are finished before the database closes', async () => {
    const written = database.write(() => save('last', 0))
    await database.close()
    await expect(written).resolves.toBeDefined()
    database = await openDatabase(url, pino({ level: 'silent' }))
    expect(await keys()).toEqual(['last'])
  })

  it('refuse broken references', async () => {
    const orphan = { stationId: 'nowhere', bootId: 'b', seq: 1, atMs: 0 }
    await expect(
      database.write(() => database.models.stationEvents.create(orphan, database.scope())),
    ).rejects.toThrow()
  })
})

describe('the journal’s table', () => {
  it('refuses to change or delete a row', async () => {
    const row = {
      id: 1,
      atMs: 0,
      action: 'user.created' as const,
      level: 'info' as const,
      actorType: 'system' as const,
      actorId: 'system',
      actorLabel: '',
      stationId: null,
      sessionId: null,
      userId: null,
      ip: null,
      details: '{}',
      prevHash: '',
      hash: '',
    }
    await database.models.logs.create(row)
    for (const statement of [`UPDATE logs SET details = '{"x":1}'`, 'DELETE FROM logs'])
      await expect(database.sequelize.query(statement)).rejects.toMatchObject({
        original: { message: expect.stringContaining('append-only') as string },
      })
    expect((await database.models.logs.findByPk(1))?.get()).toEqual(row)
  })
})

describe('the search text', () => {
  it('is created for existing rows as for new ones', async () => {
    const people = ['Hélène', 'ÇAĞRI', 'Łukasz', 'L’Œuvre', 'Straße', 'He\u0301le\u0300ne', 'Đorđe', 'Ÿ']
    const { users, logs, logTexts } = database.models
    for (const [index, name] of people.entries()) {
      await users.create({
        ...{ id: name, firstName: name, lastName: 'X', email: null, phone: null, birthDate: null, sex: null },
        ...{ municipality: name, occupation: null, notes: null, consentGiven: false, consentAtMs: null },
        ...{ consentVersion: null, consentRevokedAtMs: null, photoName: null },
        ...{ version: 1, createdAtMs: 0, updatedAtMs: 0 },
      })
      const details = JSON.stringify({ reason: name })
      await logs.create({
        ...{ id: index + 1, atMs: 0, action: 'user.created', level: 'info', actorType: 'system' },
        ...{ actorId: 'system', actorLabel: 'escale', stationId: null, sessionId: null, userId: null },
        ...{ ip: null, details, prevHash: '', hash: '' },
      })
    }
    // Stations had a search text when this migration was written.
    await database.sequelize.query('ALTER TABLE stations ADD COLUMN search_text TEXT')
    const statements = searchAndVersions.statements(database.sequelize.getDialect())
    for (const sql of statements) if (/^(UPDATE|INSERT)/.test(sql)) await database.sequelize.query(sql)
    for (const name of people) {
      const row = (await users.findByPk(name))?.get()
      expect(row?.searchText).toBe(searchTextOf(['X', name, null, null, name]))
    }
    const texts = (await logTexts.findAll({ order: ['logId'] })).map((row) => row.get().searchText)
    expect(texts).toEqual(people.map((name) => searchTextOf([JSON.stringify({ reason: name }), 'escale'])))
  })
})

describe('an error of the database', () => {
  const station = (id: string, ipAddress: string | null) => ({
    ...{ id, label: id, location: null, ipAddress, macAddress: null, isMaintenance: false },
    ...{ isMarkedOffline: false, secretHash: null, previousSecretHash: null, previousSecretUntilMs: null },
    ...{ desiredVersion: 0, version: 1, createdAtMs: 0, updatedAtMs: 0 },
  })
  const session = (id: string) => ({
    ...{ id, userId: null, stationId: 'pc-1', state: 'active' as const, grantedSeconds: 60 },
    ...{ creditSeconds: 0, consumedMs: 0, runningSinceMs: 0, codeHash: null, codeExpiresAtMs: 0 },
    ...{
      validatedStationId: null,
      validatedBootId: null,
      bootId: null,
      movedBackMs: 0,
      validatedAtMs: null,
      startedAtMs: 0,
      suspendedAtMs: null,
    },
    ...{ endedAtMs: null, endReason: null, deadlineMs: null, createdBy: 'desk' },
    ...{ mayOutliveClosing: false, version: 1, createdAtMs: 0, updatedAtMs: 0 },
  })
  const insertStation = (id: string, ip: string | null) =>
    database.write(() => database.models.stations.create(station(id, ip), database.scope()))
  const insertSession = (id: string) =>
    database.write(() => database.models.sessions.create(session(id), database.scope()))

  it('is reported as a duplicate with the name of the field', async () => {
    await insertStation('pc-1', '192.0.2.1')
    await expect(insertStation('pc-1', null)).rejects.toMatchObject({
      code: 'duplicate',
      extras: { errors: [{ pointer: '/id' }] },
    })
    await expect(insertStation('pc-2', '192.0.2.1')).rejects.toMatchObject({
      code: 'duplicate',
      extras: { errors: [{ pointer: '/ipAddress' }] },
    })
  })

  it('is reported as an active session if a second one would run at a station', async () => {
    await insertSession('a')
    await expect(insertSession('b')).rejects.toMatchObject({ code: 'session-active' })
  })
})

describe('a database of a later release', () => {
  it('is refused with the name of that release, and does not change', async () => {
    await database.write(() => putMark(database, 'release', '9.8.7'))
    await database.sequelize.query("INSERT INTO schema_migrations (name) VALUES ('9999-later')")
    await expect(openDatabase(url, pino({ level: 'silent' }))).rejects.toThrow(
      /plus récente \(9\.8\.7\).*9999-later.*\n.*later release of Escale \(9\.8\.7\).*npm run restore/,
    )
  })

  it('is refused also without the name of its release', async () => {
    await database.sequelize.query("INSERT INTO schema_migrations (name) VALUES ('9999-later')")
    await expect(openDatabase(url, pino({ level: 'silent' }))).rejects.toThrow(
      /version d’Escale plus récente que celle-ci/,
    )
  })
})
