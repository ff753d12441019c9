import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestApp, useFakeTime, type TestApp } from '../../testing/app.ts'
import { connectStation } from '../../testing/connected-station.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 20_000 })

const DAY = 86_400_000
const MINUTE = 60_000
let test: TestApp
beforeEach(async () => {
  useFakeTime()
  test = await startTestApp({ isFollowingDate: true })
})
afterEach(() => test.stop())

async function newStation() {
  const station = await connectStation(test)
  const desired = async (fits: (version: number) => boolean = () => true) =>
    Number((await station.desired(({ version }) => fits(Number(version))))['version'])
  return { ...station, desired }
}
type Station = Awaited<ReturnType<typeof newStation>>

const reported = (version: number) => ({
  ...{ version, state: 'locked', bootId: 'boot-1', appliedAt: new Date().toISOString() },
})
const journalOf = (id: string, action: string) => test.journal(`action=${action}&stationId=${id}`)
const event = (seq: number, over: object = {}) => ({
  ...{ bootId: 'boot-1', seq, at: new Date().toISOString(), kind: 'fault', details: {} },
  ...over,
})
/** Lets the minute pass after which dropped messages are logged. */
const tellDropped = async (id: string) => {
  await vi.advanceTimersByTimeAsync(MINUTE)
  return vi.waitFor(async () => {
    const lines = await journalOf(id, 'station.messages_dropped')
    expect(lines).not.toEqual([])
    return lines.map(({ details }) => details)
  })
}
const sizeOfJournal = async (id: string) => (await test.journal(`stationId=${id}`)).length

describe('a version that no server can have issued', () => {
  it.each([2 ** 52, 2 ** 51, Date.now() + 2 * DAY])(
    '%d is ignored and logged, and the station continues',
    async (version) => {
      const station = await newStation()
      const before = await station.desired()
      await station.say('reported', reported(version))
      await station.ask('time')
      expect(station.messages.all.filter(({ topic }) => topic.endsWith('/desired'))).toEqual([])
      await test.done('POST', `/api/postes/${station.id}/marquer_maintenance`)
      const after = await station.desired()
      expect(after).toBeGreaterThan(before)
      expect(after).toBeLessThan(Date.now() + DAY)
      expect(await tellDropped(station.id)).toEqual([{ kind: 'version', dropped: 1 }])
    },
  )

  it('is not reached by small steps from day to day either', async () => {
    const station = await newStation()
    let version = await station.desired()
    for (let i = 0; i < 30; i += 1) {
      await station.say('reported', reported(version + DAY - 1))
      await station.ask('time')
      const documents = station.messages.all.filter(({ topic }) => topic.endsWith('/desired'))
      version = Number(documents.at(-1)?.payload['version'] ?? version)
    }
    expect(version).toBeLessThan(Date.now() + 6 * DAY)
  })

  it('is repaired at the start if it was stored, also for deleted stations', async () => {
    const { id } = await test.createStation('pc-stored')
    await test.createStation('pc-retired')
    await test.done('DELETE', '/api/postes/pc-retired/')
    await test.db.sequelize.query(`UPDATE stations SET desired_version = ${2 ** 52 + 1} WHERE id = '${id}'`)
    await test.db.sequelize.query(`UPDATE retired_stations SET desired_version = ${2 ** 52 + 1}`)
    await test.restart()
    await test.createStation('pc-retired')
    for (const name of [id, 'pc-retired']) {
      const { secret } = await test.enrol(name)
      const { client, messages } = await test.mqtt(name, secret)
      await client.subscribeAsync(`escale/v1/stations/${name}/desired`, { qos: 1 })
      const version = Number((await messages.next('/desired')).payload['version'])
      expect(version).toBeLessThan(Date.now() + DAY)
      expect(version).toBeGreaterThan(Date.now() - DAY)
    }
  })
})

describe('details of events and faults', () => {
  const sized = (bytes: number) => ({ text: 'é'.repeat((bytes - '{"text":""}'.length) / 2) })

  it('are limited to 2 048 bytes of UTF-8 in every message', async () => {
    const station = await newStation()
    const fits = sized(2_047)
    const tooBig = sized(2_049)
    expect(await station.ask('report_fault', { kind: 'disk', details: fits })).toMatchObject({ ok: true })
    expect(await station.ask('report_fault', { kind: 'disk', details: tooBig })).toMatchObject({
      error: { code: 'invalid-body' },
    })
    await station.say('events', event(1, { details: fits }))
    await station.say('events', event(2, { details: tooBig }))
    await station.say('events', event(2, { kind: 'cleaned', details: tooBig }))
    expect(await journalOf(station.id, 'station.fault_reported')).toHaveLength(2)
  })
})

describe('events above the permitted rate', () => {
  const AT_ONCE = 2_000

  it('wait and are acknowledged when they are stored; none is dropped', async () => {
    const station = await newStation()
    const stored = () => test.db.models.stationEvents.count({ where: { stationId: station.id } })
    const sent = Array.from({ length: AT_ONCE + 10 }, (_, i) =>
      station.say('events', event(i + 1, { kind: 'warned' })),
    )
    await Promise.all(sent.slice(0, AT_ONCE))
    expect(await stored()).toBe(AT_ONCE)
    await vi.advanceTimersByTimeAsync(1_000)
    await Promise.all(sent)
    expect(await stored()).toBe(AT_ONCE + 10)
    expect(await journalOf(station.id, 'station.messages_dropped')).toEqual([])
  })
})

describe('the number of logs that one station causes', () => {
  /** @returns how many logs `work` added, including those about dropped messages */
  async function growth(station: Station, work: () => Promise<unknown>): Promise<number> {
    const before = await sizeOfJournal(station.id)
    await work()
    await vi.advanceTimersByTimeAsync(MINUTE)
    await station.ask('time')
    return (await sizeOfJournal(station.id)) - before
  }
  const often = async (times: number, work: (i: number) => Promise<unknown>) => {
    for (let i = 0; i < times; i += 1) await work(i)
  }
  const presence = (online: boolean, connectionSeq: number, bootId = 'boot-1') => ({
    ...{ online, cause: online ? 'birth' : 'clean', bootId, connectionSeq, agentVersion: '1', hostname: 'h' },
    ...{ os: 'o', ipAddress: '192.0.2.1', macAddress: '02:00:00:00:00:01' },
  })

  it.each<[string, number, (station: Station, i: number) => Promise<unknown>]>([
    ['faults that it asks to be told', 66, ({ ask }, i) => ask('report_fault', { kind: `k${i}` })],
    ['faults among its events', 66, ({ say }, i) => say('events', event(i))],
    ['faults of ever new starts', 66, ({ say }, i) => say('events', event(1, { bootId: `boot-${i}` }))],
    ['gaps between its events', 16, ({ say }, i) => say('events', event(2 * i, { kind: 'cleaned' }))],
    ['calls for help', 12, ({ ask }) => ask('call_staff', { reason: 'x' })],
    ['versions beyond belief', 5, ({ say }) => say('reported', reported(2 ** 52))],
    [
      'codes that are wrong',
      12,
      ({ ask }, i) => ask('validate_code', { code: `ABCD-${String(2_222 + i).replace(/[01]/g, '2')}` }),
    ],
    ['comings and goings', 44, ({ say }, i) => say('presence', presence(i % 2 === 0, i))],
  ])('by %s is at most %d a minute', async (_, most, act) => {
    const station = await newStation()
    expect(await growth(station, () => often(150, (i) => act(station, i)))).toBeLessThanOrEqual(most)
  })

  it('includes one log with the number of dropped faults', async () => {
    const station = await newStation()
    await often(100, (i) => station.ask('report_fault', { kind: `k${i}` }))
    const told = (await tellDropped(station.id)) as { kind: string; dropped: number }[]
    const faults = await journalOf(station.id, 'station.fault_reported')
    const dropped = told.reduce((sum, line) => sum + line.dropped, 0)
    expect(faults).toHaveLength(60)
    expect(faults.length + dropped).toBe(100)
  })

  it('does not matter for silence: a station that reconnected too often is still noticed as silent', async () => {
    const station = await newStation()
    await often(100, (i) => station.say('presence', presence(i % 2 === 0, i)))
    expect((await test.station(station.id)).online).toBe(true)
    await vi.advanceTimersByTimeAsync(40_000)
    await vi.waitFor(async () => expect((await test.station(station.id)).online).toBe(false))
  })
})
