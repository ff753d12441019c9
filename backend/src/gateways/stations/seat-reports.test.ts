import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../../testing/app.ts'

let test: TestApp

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

/** A station on the bus that sends numbered events. */
async function newStation() {
  const { id } = await test.createStation()
  const { secret } = await test.enrol(id)
  const { client, messages } = await test.mqtt(id, secret)
  await client.subscribeAsync(`escale/v1/stations/${id}/desired`, { qos: 1 })
  let seq = 0
  const say = (kind: string, details: object) => {
    const event = { bootId: 'boot-1', seq: (seq += 1), at: new Date().toISOString(), kind, details }
    return client.publishAsync(`escale/v1/stations/${id}/events`, JSON.stringify(event), { qos: 1 })
  }
  const desired = (state: string) => messages.next('/desired', (payload) => payload['state'] === state)
  const journal = (action: string) => test.journal(`stationId=${id}&action=${action}`)
  const stateOf = () => test.done<{ state: string }>('GET', `/api/postes/${id}/`)
  return { id, say, desired, journal, stateOf }
}

const isStation = (actor: unknown) => (actor as { type: string }).type === 'station'
const failed = { kind: 'cleaning-failed', error: 'temporaryFiles: /tmp/x' }

describe('a station that cannot prove that its visitor’s traces are gone', () => {
  it('goes into maintenance with the reason in the journal, until an operator marks it available', async () => {
    const station = await newStation()
    await station.desired('locked')
    await station.say('fault', failed)
    await station.desired('maintenance')
    expect((await station.stateOf()).state).toBe('maintenance')
    expect(await station.journal('station.fault_reported')).toMatchObject([
      { level: 'error', details: failed },
    ])
    const marks = (await station.journal('station.updated')).filter(({ actor }) => isStation(actor))
    expect(marks).toMatchObject([
      { details: { marked: 'maintenance', reason: expect.stringContaining(failed.error) as string } },
    ])
    await station.say('cleaned', { removed: { temporaryFiles: 1 } })
    expect((await station.stateOf()).state).toBe('maintenance')
    await test.done('POST', `/api/postes/${station.id}/marquer_disponible/`)
    await station.desired('locked')
    await station.say('fault', failed)
    await station.desired('maintenance')
  })

  it('goes into maintenance only after the session that runs there', async () => {
    const station = await newStation()
    const { id } = await test.createSession({ stationId: station.id })
    await test.done('POST', `/api/sessions/${id}/start/`)
    await station.say('fault', failed)
    expect((await station.stateOf()).state).toBe('occupied')
    await test.done('POST', `/api/sessions/${id}/terminate/`)
    await station.say('fault', failed)
    await station.desired('maintenance')
    expect(await station.journal('station.fault_reported')).toHaveLength(2)
    expect(test.errors()).toEqual([])
  })

  it('stays in service after any other fault', async () => {
    const station = await newStation()
    for (const details of [{ kind: 'kiosk-failed', error: 'no display' }, { kind: 7 }, {}])
      await station.say('fault', details)
    expect(await station.journal('station.fault_reported')).toHaveLength(3)
    expect((await station.stateOf()).state).not.toBe('maintenance')
  })
})

describe('what a cleaning found', () => {
  it('is in the journal, and nothing else of the details', async () => {
    const station = await newStation()
    const removed = { processes: 4, mounts: 1, temporaryFiles: 0 }
    await station.say('cleaned', { removed: { ...removed, names: 'Ada' }, note: 'Ada' })
    expect(await station.journal('station.cleaned')).toMatchObject([{ level: 'info', details: { removed } }])
    expect(JSON.stringify(await station.journal('station.cleaned'))).not.toContain('Ada')
  })

  it.each([[{}], [{ removed: 3 }], [{ removed: { processes: -1 } }], [{ removed: { mail: 'Ada' } }]])(
    'is not in the journal if it is %j',
    async (details) => {
      const station = await newStation()
      await station.say('cleaned', details)
      expect(await station.journal('station.cleaned')).toEqual([])
      expect(test.errors()).toEqual([])
    },
  )
})
