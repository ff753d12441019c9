import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import type { ErasureProof, Log, Page, Session, User } from '@escale/protocol'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { request, signIn, type Api } from '../support/api.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { enrolStation, macOf, openStationClient, type StationClient } from '../support/station-client.ts'

/** A person whose data resemble no other text in the files. */
const PERSON = {
  firstName: 'Éléonore-Żûzanna',
  lastName: 'Brûlepont-d’Ærsted',
  email: 'eleonore.brulepont@exemple-unique.org',
  phone: '+33\u00a06\u202f98 76 54 32',
  birthDate: '1987-11-29',
  sex: 'female',
  municipality: 'Xonrupt-Longemer-Unique',
  occupation: 'accordeuse de vielles',
  notes: 'Sait le mot de passe du placard\n\tzébulon-notes',
  consentGiven: true,
} as const
const STATION = 'poste-01'

let server: RunningServer
let api: Api
let station: StationClient
let photo: Buffer

beforeAll(async () => {
  server = await startServer()
  api = await signIn(server)
  station = openStationClient(server.mqttUrl, await enrolStation(server, api, STATION, macOf(1)))
  await api.post('/api/postes/', { id: 'poste-02', label: 'Poste 2' })
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
  photo = await sharp({ create: { width: 300, height: 300, channels: 3, background: '#000', noise } })
    .jpeg()
    .toBuffer()
})
afterAll(async () => {
  await station.client.endAsync(true)
  await server.dispose()
})

/** The files of the data folder that contain a text, in UTF-8 or with JSON escapes, including SQLite's WAL and index. */
function filesHolding(text: string): string[] {
  const { stdout, status } = spawnSync('grep', ['-raliF', '--', text, server.dataDir], { encoding: 'utf8' })
  if (status !== 0 && status !== 1) throw new Error(`grep: ${status}`)
  return stdout.split('\n').filter(Boolean)
}

/** The files that contain bytes from the middle of a picture. */
function filesWithBytes(picture: Buffer): string[] {
  const middle = picture.subarray(picture.length / 2, picture.length / 2 + 64)
  const entries = readdirSync(server.dataDir, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  return files.filter((file) => readFileSync(file).includes(middle))
}

const traces = [
  PERSON.firstName,
  PERSON.lastName,
  'Brûlepont',
  // The forms that are stored for searches.
  'eleonore-zuzanna',
  "brulepont-d'aersted",
  PERSON.email,
  '+33 6 98 76 54 32',
  '698765432',
  PERSON.birthDate,
  PERSON.municipality,
  PERSON.occupation,
  'zébulon-notes',
  'ancienne adresse',
  'mot-terminate',
  'mot-marquage',
  'mot-message',
  'mot-panne',
  'mot-erreur',
  'mot-ailleurs',
]

/** Writes every kind of text that an operator, a station and a visitor can write. */
async function writeEverything(user: User): Promise<void> {
  const { id: userId } = user
  const session = await api.post<Session & { accessCode: string }>('/api/sessions/', {
    userId,
    stationId: STATION,
    minutes: 30,
  })
  const ask = (id: string, op: string, params: object) => station.publish('request', { id, op, params })
  await ask('v1', 'validate_code', { code: session.accessCode })
  await ask('s1', 'start_session', { sessionId: session.id })
  await expect.poll(async () => (await api.get<Session>(`/api/sessions/${session.id}/`)).state).toBe('active')
  await ask('c1', 'call_staff', { reason: `${PERSON.firstName} mot-appel` })
  await ask('f1', 'report_fault', { kind: 'printer', details: { said: `mot-panne de ${PERSON.lastName}` } })
  const message = { op: 'message', params: { text: 'mot-message, ligne\nsuivante' } }
  const { commands } = await api.post<{ commands: { id: string }[] }>(
    `/api/postes/${STATION}/commands/`,
    message,
  )
  const error = `mot-erreur ${PERSON.email}`
  await station.publish('ack', { id: commands[0]!.id, status: 'failed', error, at: new Date().toISOString() })
  await api.post(`/api/sessions/${session.id}/terminate/`, { reason: 'mot-terminate' })
  await api.post(`/api/postes/${STATION}/marquer_maintenance/`, { reason: 'mot-marquage' })
  await api.post('/api/postes/poste-02/marquer_maintenance/', {
    reason: 'mot-ailleurs pour Mme BRULEPONT‑D’AERSTED',
  })
  await api.post('/api/sessions/', { userId, minutes: 10 })
  await expect.poll(() => filesHolding('mot-erreur').length).toBeGreaterThan(0)
}

async function savePhoto(user: User): Promise<Buffer> {
  const url = `${server.url}/api/utilisateurs/${user.id}/photo/`
  const headers = { authorization: `Bearer ${api.token}`, 'content-type': 'image/jpeg' }
  expect((await fetch(url, { method: 'PUT', headers, body: new Uint8Array(photo) })).status).toBe(200)
  const exported = await fetch(`${server.url}/api/utilisateurs/${user.id}/export/`, {
    headers: { authorization: headers.authorization },
  })
  const files = unzipSync(new Uint8Array(await exported.arrayBuffer()))
  const exportedText = Buffer.from(files['donnees.json']!).toString()
  expect(exportedText).toContain('mot-terminate')
  return Buffer.from(files['photo.jpg']!)
}

describe('a person who is erased', () => {
  test('is in no file of the running server any more, and the journal still verifies', async () => {
    const user = await api.post<User>('/api/utilisateurs/', {
      ...PERSON,
      notes: `${PERSON.notes}, ancienne adresse`,
    })
    await api.put(`/api/utilisateurs/${user.id}/`, PERSON)
    // Other users are created and deleted, so that rows move between database pages.
    for (let i = 0; i < 40; i += 1) {
      const name = `Voisin ${String(i)}`
      const other = await api.post<User>('/api/utilisateurs/', {
        firstName: name,
        lastName: 'Durand',
        notes: name.repeat(40),
      })
      if (i % 3 === 0)
        await request(`${server.url}/api/utilisateurs/${other.id}/`, {
          method: 'DELETE',
          headers: { authorization: `Bearer ${api.token}` },
        })
    }
    await writeEverything(user)
    const stored = await savePhoto(user)
    expect(filesWithBytes(stored)).toHaveLength(1)
    for (const text of traces.slice(0, 2)) expect(filesHolding(text), text).not.toEqual([])
    for (const text of ['zébulon-notes', 'mot-terminate', 'mot-ailleurs', 'mot-message', PERSON.birthDate])
      expect(filesHolding(text), text).not.toEqual([])

    const proof = await api.post<ErasureProof>(`/api/utilisateurs/${user.id}/erase/`)
    expect(proof).toMatchObject({
      isFileClean: true,
      left: { users: 0, sessions: 0, photos: 0, commands: 0, calls: 0, logsNaming: 0 },
    })
    const found = traces.filter((text) => filesHolding(text).length > 0)
    expect(found).toEqual([])
    expect(filesHolding('mot-appel')).toEqual([])
    expect(filesWithBytes(stored)).toEqual([])
    const { results } = await api.get<Page<Log>>('/api/logs/?pageSize=200')
    expect(JSON.stringify(results)).not.toMatch(/mot-/)
    expect(results.map(({ action }: Log) => action)).toContain('user.deleted')

    await server.kill()
    expect(traces.filter((text) => filesHolding(text).length > 0)).toEqual([])
    const verified = spawnSync(process.execPath, ['backend/src/cli/audit-verify.ts'], {
      env: { ...process.env, ESCALE_DATA_DIR: server.dataDir },
      encoding: 'utf8',
    })
    expect(verified.stdout).toMatch(/^Journal intact/)
    await server.restart()
    expect(traces.filter((text) => filesHolding(text).length > 0)).toEqual([])
  })
})
