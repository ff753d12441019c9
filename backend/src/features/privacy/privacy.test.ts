import { unzipSync } from 'fflate'
import { readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ErasureProof, User } from '@escale/protocol'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isOnPostgres } from '../../testing/database.ts'
import { createAppEvents } from '../../events.ts'
import { auditJournal } from '../logs/audit.ts'
import { createJournal, createLogRepository, systemActor } from '../logs/index.ts'
import { startTestApp, type TestApp } from '../../testing/app.ts'

let test: TestApp
let photo: Buffer

beforeAll(async () => {
  test = await startTestApp()
  photo = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#884422' } })
    .jpeg()
    .toBuffer()
})
afterAll(() => test.stop())

const inject = async (method: 'GET' | 'PUT', url: string, payload?: Buffer, type = 'image/jpeg') =>
  test.app.http.inject({
    method,
    url,
    headers: {
      authorization: `Bearer ${await test.tokenOf('admin')}`,
      ...(payload ? { 'content-type': type } : {}),
    },
    ...(payload ? { payload } : {}),
  })
const photosOnDisk = () => readdirSync(join(test.folder, 'photos'))

describe('the photo of a user', () => {
  it('is encoded again, served to operators, replaced and removed, and leaves no file behind', async () => {
    const { id } = await test.createUser()
    const url = `/api/utilisateurs/${id}/photo/`
    expect((await inject('PUT', url, photo)).statusCode).toBe(200)
    expect((await inject('PUT', url, photo, 'application/octet-stream')).statusCode).toBe(200)
    expect(photosOnDisk()).toHaveLength(1)
    const served = await inject('GET', url)
    expect(served.headers['content-type']).toBe('image/jpeg')
    expect(served.headers['x-content-type-options']).toBe('nosniff')
    expect((await sharp(served.rawPayload).metadata()).width).toBe(400)
    expect((await test.done<User>('GET', `/api/utilisateurs/${id}`)).hasPhoto).toBe(true)
    await test.done('DELETE', url)
    expect(photosOnDisk()).toHaveLength(0)
    expect((await inject('GET', url)).statusCode).toBe(404)
  })

  it('is refused with a reason, and the old photo stays', async () => {
    const { id } = await test.createUser()
    const url = `/api/utilisateurs/${id}/photo`
    await inject('PUT', url, photo)
    const [kept] = photosOnDisk()
    const refused = async (bytes: Buffer, type?: string) => {
      const answer = await inject('PUT', url, bytes, type)
      return [answer.statusCode, answer.json<{ code: string }>().code]
    }
    expect(await refused(Buffer.from('GIF89a'))).toEqual([415, 'photo-format'])
    expect(await refused(Buffer.from('{"photo":1}'), 'application/json')).toEqual([415, 'photo-format'])
    expect(await refused(photo.subarray(0, 400))).toEqual([422, 'photo-unreadable'])
    expect(await refused(Buffer.concat([photo, Buffer.alloc(5 * 1024 * 1024)]))).toEqual([
      413,
      'photo-too-large',
    ])
    expect((await refused(Buffer.concat([photo, Buffer.alloc(8 * 1024 * 1024)])))[0]).toBe(413)
    expect(photosOnDisk()).toEqual([kept])
  })

  it('without a user is removed at the next start, unless it is new and another server may be writing it', async () => {
    const { id } = await test.createUser()
    await inject('PUT', `/api/utilisateurs/${id}/photo`, photo)
    const pointedTo = photosOnDisk()
    const put = (name: string, ageMs: number) => {
      const path = join(test.folder, 'photos', name)
      writeFileSync(path, photo)
      utimesSync(path, new Date(), new Date(test.clock.nowMs() - ageMs))
    }
    put('forgotten.jpg', 3_700_000)
    put('half.jpg.part', 3_700_000)
    put('young.jpg', 60_000)
    await test.restart()
    expect(photosOnDisk().toSorted()).toEqual([...pointedTo, 'young.jpg'].toSorted())
    rmSync(join(test.folder, 'photos', 'young.jpg'))
  })

  it('of an unknown user is not stored', async () => {
    const before = photosOnDisk().length
    expect((await inject('PUT', '/api/utilisateurs/nobody/photo', photo)).statusCode).toBe(404)
    expect(photosOnDisk()).toHaveLength(before)
  })
})

describe('the data of a person', () => {
  it('are exported in one archive: profile, sessions, journal, photo', async () => {
    const user = await test.createUser({ email: 'zoe@example.org', notes: 'Aime les échecs' })
    await inject('PUT', `/api/utilisateurs/${user.id}/photo`, photo)
    const session = await test.createSession({ userId: user.id })
    const answer = await inject('GET', `/api/utilisateurs/${user.id}/export/`)
    const files = unzipSync(new Uint8Array(answer.rawPayload))
    expect(Object.keys(files).sort()).toEqual(['donnees.json', 'photo.jpg'])
    const told = JSON.parse(Buffer.from(files['donnees.json']!).toString()) as {
      user: User
      sessions: { id: string; accessCode?: string }[]
      logs: { action: string }[]
    }
    expect(told.user).toMatchObject({
      email: 'zoe@example.org',
      notes: 'Aime les échecs',
      consentGiven: true,
    })
    expect(told.sessions.map(({ id }) => id)).toEqual([session.id])
    expect(told.logs.map(({ action }) => action)).toEqual([
      'user.created',
      'user.photo_changed',
      'session.created',
      'user.exported',
    ])
    expect(JSON.stringify(told)).not.toContain(session.accessCode)
  })

  it('are gone after an erasure, with every text that names the person and the notes on their sessions', async () => {
    const unique = { firstName: 'Żélîe', lastName: 'Quérézac', phone: '+33 6 98 76 54 32' }
    const user = await test.createUser({
      ...unique,
      email: 'zq@example.org',
      occupation: 'dompteuse de puces',
    })
    const other = await test.createUser({ firstName: 'Autre', lastName: 'Personne' })
    const { id: stationId } = await test.createStation()
    const { id: elsewhere } = await test.createStation()
    const session = await test.startSession({ userId: user.id, stationId })
    await test.done('POST', `/api/sessions/${session.id}/terminate`, { reason: 'a dit au revoir' })
    const mark = (id: string, reason: string) =>
      test.done('POST', `/api/postes/${id}/marquer_maintenance`, { reason })
    await mark(stationId, 'clavier mouillé')
    await mark(elsewhere, 'voir Mme QUEREZAC')
    const theirs = await test.startSession({ userId: other.id })
    await test.done('POST', `/api/sessions/${theirs.id}/terminate`, { reason: 'rappeler le 06.98.76.54.32' })
    const kept = await test.startSession({ userId: other.id })
    await test.done('POST', `/api/sessions/${kept.id}/terminate`, { reason: 'parti à midi' })
    const { commands } = await test.done<{ commands: { id: string }[] }>('POST', '/api/postes/commands/', {
      ...{ op: 'message', stationIds: [elsewhere], params: { text: 'Żélîe est attendue' } },
    })
    const reasons = async () =>
      (await test.journal('')).flatMap(({ details }) => (details as { reason?: string }).reason ?? [])
    expect(await reasons()).toEqual(
      expect.arrayContaining(['a dit au revoir', 'clavier mouillé', 'voir Mme QUEREZAC', 'parti à midi']),
    )

    const proof = await test.done<ErasureProof>('POST', `/api/utilisateurs/${user.id}/erase/`)
    expect(proof.left).toMatchObject({
      users: 0,
      sessions: 0,
      photos: 0,
      commands: 0,
      calls: 0,
      logsNaming: 0,
    })
    expect(proof.isFileClean).toBe(!isOnPostgres())
    expect(await reasons()).toEqual(['parti à midi'])
    expect((await test.call('GET', `/api/postes/commands/${commands[0]!.id}/`)).status).toBe(404)
    const profile = (await test.db.models.sessionProfiles.findByPk(session.id))?.get()
    expect(profile?.occupation).toBeNull()
    expect(await auditJournal(createLogRepository(test.db))).toMatchObject({ isWhole: true })
  })

  it('are counted where they cannot be removed: in records whose hash includes them', async () => {
    const user = await test.createUser({ firstName: 'Éva', lastName: 'Zylberstein' })
    const journal = createJournal(test.db, createLogRepository(test.db), createAppEvents(), test.clock)
    const tell = (details: object) =>
      test.db.write(() =>
        journal.append({ action: 'session.terminated', actor: systemActor, details: { ...details } }),
      )
    await tell({ reason: 'M. Zylberstein' })
    await tell({ reason: 'ZYLBERSTEIN Éva' })
    await tell({ reason: 'Éva seule, ou le zylbersteinium' })
    const proof = await test.done<ErasureProof>('POST', `/api/utilisateurs/${user.id}/erase/`)
    expect(proof.left.logsNaming).toBe(3)
  })

  it('are gone after an erasure, except sessions without a name and a profile for the statistics', async () => {
    const user = await test.createUser({
      firstName: 'Éléonore',
      lastName: 'Unique',
      email: 'unique@example.org',
      birthDate: '1990-05-05',
      municipality: 'Brest',
    })
    await inject('PUT', `/api/utilisateurs/${user.id}/photo`, photo)
    // A municipality that others share does not identify a person.
    for (let i = 0; i < 5; i += 1) {
      const neighbour = await test.createUser({ municipality: 'Brest' })
      await test.createSession({ userId: neighbour.id })
    }
    const started = await test.startSession({ userId: user.id })
    const waiting = await test.createSession({ userId: user.id })
    expect((await test.call('POST', `/api/utilisateurs/${user.id}/erase/`)).body).toMatchObject({
      code: 'session-active',
    })
    await test.done('POST', `/api/sessions/${started.id}/terminate`)

    const proof = await test.done<ErasureProof>('POST', `/api/utilisateurs/${user.id}/erase/`)
    const { logsWithIdOnly, ...left } = proof.left
    expect(left).toEqual({ users: 0, sessions: 0, photos: 0, commands: 0, calls: 0, logsNaming: 0 })
    expect(logsWithIdOnly).toBeGreaterThan(0)
    expect(proof.anonymisedSessions).toBe(2)
    expect((await test.call('GET', `/api/utilisateurs/${user.id}`)).status).toBe(404)
    const kept = await test.session(started.id)
    expect([kept.userId, kept.state]).toEqual([undefined, 'ended'])
    expect((await test.session(waiting.id)).endReason).toBe('terminated')
    const profile = (await test.db.models.sessionProfiles.findByPk(started.id))?.get()
    expect(profile).toMatchObject({ ageBand: '30-39', municipality: 'Brest' })

    // No table contains any of the texts, in any column.
    for (const table of Object.values(test.db.sequelize.models)) {
      const text = JSON.stringify(await table.findAll())
      for (const word of ['Éléonore', 'unique@example.org', '1990-05-05']) expect(text).not.toContain(word)
    }
  })
})
