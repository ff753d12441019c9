import type { Desired } from '@escale/protocol'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { auditJournal } from '../features/logs/audit.ts'
import { createLogRepository } from '../features/logs/repository.ts'
import { isOnPostgres } from './database.ts'
import { connectStation } from './connected-station.ts'
import { startTestApp, type Answer, type Call, type TestApp } from './app.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let test: TestApp
/** If the database can be shared, every second call goes to a second server. */
let servers: Call['app'][]

beforeAll(async () => {
  test = await startTestApp()
  servers = isOnPostgres() ? [undefined, await test.startAnother()] : [undefined]
})
afterAll(() => test.stop())

const atOnce = (count: number, method: string, url: string, bodyOf: (index: number) => object) =>
  Promise.all(
    Array.from({ length: count }, (_, index) =>
      test.call(method, url, { body: bodyOf(index), app: servers[index % servers.length] }),
    ),
  )
const statusesOf = (answers: Answer[]) => {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
const journalOf = async (id: string, action: string) =>
  (await test.journal(`sessionId=${id}`)).filter((log) => log['action'] === action)

describe('many calls at once', () => {
  it('redeem a code once: of 100 stations that start the same session one succeeds', async () => {
    const stations = await Promise.all(Array.from({ length: 100 }, () => test.createStation()))
    const { id } = await test.createSession()
    const answers = await atOnce(100, 'POST', `/api/sessions/${id}/start`, (index) => ({
      stationId: stations[index]?.id,
    }))
    expect(statusesOf(answers)).toEqual({ 200: 1, 409: 99 })
    expect(await journalOf(id, 'session.started')).toHaveLength(1)
    const running = await test.done<{ count: number }>('GET', '/api/sessions/actives?pageSize=1')
    expect(running.count).toBe(1)
  })

  it('lose none of 100 grants, and give the station’s documents increasing versions', async () => {
    const { id: stationId, desired } = await connectStation(test)
    const { id } = await test.createSession({ stationId, minutes: 10 })
    await test.done('POST', `/api/sessions/${id}/start`)
    const answers = await atOnce(100, 'POST', `/api/sessions/${id}/add_time`, () => ({ minutes: 1 }))
    expect(statusesOf(answers)).toEqual({ 200: 100 })
    // The two servers have no connection here, so only the database has all grants.
    const session = await test.db.models.sessions.findByPk(id)
    expect(session?.get().grantedSeconds).toBe(110 * 60)
    expect(await journalOf(id, 'session.time_added')).toHaveLength(100)
    const grants = await test.db.models.sessionGrants.findAll({ where: { sessionId: id } })
    const versions = grants.map((grant) => grant.get().desiredVersion).filter((version) => version > 0)
    // Grants of one transaction share a document.
    expect(versions).toHaveLength(100)
    const station = await test.db.models.stations.findByPk(stationId)
    expect(station?.get().desiredVersion).toBe(Math.max(...versions))

    // The other server publishes its documents to its own stations. So this one makes the last document.
    await test.done('POST', `/api/sessions/${id}/add_time`, { minutes: 1 })
    const published: number[] = []
    for (let grantedSeconds; grantedSeconds !== 111 * 60;) {
      const { version, session: shown } = (await desired()) as Desired
      grantedSeconds = shown?.grantedSeconds
      published.push(version)
    }
    expect(published).toEqual([...new Set(published)].sort((a, b) => a - b))
    expect(published.at(-1)).toBeGreaterThan(Math.max(...versions))
  })

  it('create one of 50 stations with the same id, and one of 50 with the same MAC address', async () => {
    const named = await atOnce(50, 'POST', '/api/postes', () => ({ id: 'pc-wanted', label: 'Poste' }))
    expect(statusesOf(named)).toEqual({ 201: 1, 409: 49 })
    const placed = await atOnce(50, 'POST', '/api/postes', (index) => ({
      id: `placed-${index}`,
      label: 'Poste',
      ipAddress: '192.0.2.77',
    }))
    expect(statusesOf(placed)).toEqual({ 201: 1, 409: 49 })
    for (const { status, body } of [...named, ...placed])
      if (status === 409) expect(body).toMatchObject({ code: 'duplicate', errors: [{}] })
  })

  it('never exceed the quota of a visitor', async () => {
    const { id: userId } = await test.createUser()
    const answers = await atOnce(20, 'POST', '/api/sessions', () => ({ userId, minutes: 5 }))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3)
  })

  it('keep one of many admins', async () => {
    const password = 'assez long pour un mot de passe'
    const other = await test.done<{ id: string }>('POST', '/api/operateurs', {
      username: 'second',
      role: 'admin',
      password,
    })
    const ids = [test.operators.admin, other.id]
    const token = await test.tokenOf('admin')
    const answers = await Promise.all(
      ids.map((id, index) =>
        test.call('PUT', `/api/operateurs/${id}`, {
          body: { role: 'viewer', isActive: true },
          token,
          app: servers[index % servers.length],
        }),
      ),
    )
    const admins = await test.db.models.operators.count({ where: { role: 'admin', isActive: true } })
    expect(admins).toBe(1)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it('leave a valid journal', async () => {
    expect(await auditJournal(createLogRepository(test.db))).toMatchObject({ isWhole: true })
  })
})
