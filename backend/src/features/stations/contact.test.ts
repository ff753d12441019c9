import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestApp, useFakeTime, type TestApp } from '../../testing/app.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 20_000 })

let test: TestApp
beforeEach(async () => {
  useFakeTime()
  test = await startTestApp({ isFollowingDate: true })
})
afterEach(() => test.stop())

async function station() {
  const { id } = await test.createStation()
  const { secret, basic } = await test.enrol(id)
  const { client } = await test.mqtt(id, secret)
  const say = (kind: string, payload: object | string) =>
    client.publishAsync(
      `escale/v1/stations/${id}/${kind}`,
      typeof payload === 'string' ? payload : JSON.stringify(payload),
      { qos: 1 },
    )
  return { id, say, basic }
}

const watcher = async (filter: string) => {
  const { client, messages } = await test.mqtt('operator', await test.tokenOf('viewer'), {
    clientId: 'operator:watcher',
  })
  await client.subscribeAsync(filter, { qos: 1 })
  return messages
}

const birth = {
  ...{ online: true, cause: 'birth', bootId: 'boot-1', connectionSeq: 1, agentVersion: '1', hostname: 'pc' },
  ...{ os: 'Debian', ipAddress: '192.0.2.1', macAddress: '02:00:00:00:00:01' },
}
const beat = {
  ...{ bootId: 'boot-1', seq: 1, uptimeSeconds: 60, state: 'locked', cpuPercent: 1, memoryPercent: 2 },
  ...{ diskPercent: 3, temperatureC: 40 },
}

describe('one impossible value in a heartbeat', () => {
  it.each([
    ['cpuPercent', 101],
    ['cpuPercent', -1],
    ['cpuPercent', Number.NaN],
    ['memoryPercent', '12'],
    ['diskPercent', null],
    ['temperatureC', -300],
    ['temperatureC', {}],
    ['uptimeSeconds', -5],
    ['uptimeSeconds', 2 ** 60],
    ['remainingSeconds', -5],
    ['remainingSeconds', 12.5],
    ['sessionId', null],
  ])('%s %s is ignored, and the other values are used and forwarded', async (name, value) => {
    const { id, say } = await station()
    const heard = await watcher(`escale/v1/stations/${id}/heartbeat`)
    await say('heartbeat', { ...beat, [name]: value })
    const expected = Object.fromEntries(Object.entries(beat).filter(([field]) => field !== name))
    expect((await heard.next('/heartbeat')).payload).toEqual(expected)
    const { online, metrics } = await test.station(id)
    expect(online).toBe(true)
    const { bootId: _boot, seq: _seq, state: _state, ...sent } = expected
    expect(metrics).toEqual(sent)
  })

  it('is refused as a whole if the boot id, the state or the JSON itself is wrong', async () => {
    const { id, say } = await station()
    await say('heartbeat', { ...beat, bootId: 7 })
    await say('heartbeat', { ...beat, state: 'asleep' })
    await say('heartbeat', '{"cpuPercent": NaN}')
    expect((await test.station(id)).online).toBe(false)
  })

  it('is refused over REST with its name, and the station still counts as seen', async () => {
    const { id, basic } = await station()
    const answer = await test.call('POST', `/api/postes/${id}/heartbeat/`, {
      token: null,
      headers: basic,
      body: { cpuPercent: 101 },
    })
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: '/cpuPercent' }] } })
    expect((await test.station(id)).online).toBe(true)
  })
})

describe('a server that starts again', () => {
  it('publishes the last known presence of each station, and notices by their silence those that went offline', async () => {
    const lost = await station()
    const gone = await station()
    await lost.say('presence', birth)
    await gone.say('presence', birth)
    await gone.say('presence', { ...birth, online: false, cause: 'clean' })
    await vi.advanceTimersByTimeAsync(2_000)
    await test.restart()
    const presences = await watcher('escale/v1/stations/+/presence')
    const of = async ({ id }: { id: string }, cause: string) =>
      (await presences.next(`${id}/presence`, (payload) => payload['cause'] === cause)).payload
    expect(await of(lost, 'birth')).toEqual(birth)
    expect(await of(gone, 'clean')).toEqual({ ...birth, online: false, cause: 'clean' })
    const events = await (async () => {
      const { client, messages } = await test.mqtt('operator', await test.tokenOf('viewer'), {
        clientId: 'operator:events',
      })
      await client.subscribeAsync('escale/v1/events/station.offline', { qos: 1 })
      return messages
    })()
    await vi.advanceTimersByTimeAsync(26_000)
    expect(await of(lost, 'silent')).toEqual({ ...birth, online: false, cause: 'silent' })
    expect((await events.next('station.offline')).payload).toMatchObject({ stationId: lost.id })
  })
})
