import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { instantOf } from '@escale/protocol'
import { createAgent } from './agent.ts'
import { createSimulatedPlatform } from './platform/simulated/simulated-platform.ts'
import { createMemoryStore } from './store.ts'
import { createHandServer } from './testing/hand-server.ts'

vi.setConfig({ testTimeout: 30_000 })

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A station that is enrolled and connected. If it enrols again, the server answers that an admin must accept it. */
async function startStation() {
  const broker = await createHandServer({ stationId: 'pc-01' })
  closers.push(broker.stop)
  const platform = createSimulatedPlatform({ seed: 3 })
  const store = createMemoryStore()
  const secondEnrolment = Promise.withResolvers<string[]>()
  let asked = 0
  const server = createServer((_request, response) => {
    asked += 1
    const identity = { stationId: 'pc-01', mqttSecret: 's', mqttUrl: broker.url }
    const pairing = { pairingCode: '482716', pairingSecret: 'p', retryAfterSeconds: 300 }
    const [status, answer] = asked === 1 ? [200, identity] : [202, pairing]
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    if (asked > 1) secondEnrolment.resolve([...platform.done])
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  const agent = createAgent({
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { kind: 'key', enrolmentKey: 'k' },
    platform,
    store,
    log: pino({ level: 'silent' }),
  })
  closers.push(agent.stop)
  await agent.start()
  await broker.hears('reported')
  return { agent, broker, platform, store, secondEnrolment: secondEnrolment.promise, asked: () => asked }
}

describe('a station whose secret the server refuses', () => {
  it('forgets it and asks to be accepted again, with its code on the screen', async () => {
    const { agent, broker, store, secondEnrolment } = await startStation()
    broker.refuse()
    broker.cut()
    await secondEnrolment
    await vi.waitFor(() => expect(agent.view()).toMatchObject({ phase: 'pairing', pairingCode: '482716' }))
    expect(await store.readIdentity()).toBeUndefined()
  })

  it('first lets the current session run to its end, and cleans up after it', async () => {
    const { agent, broker, secondEnrolment } = await startStation()
    const session = {
      id: 's-1',
      displayName: 'Ada',
      grantedSeconds: 3,
      remainingSeconds: 3,
      endsAt: instantOf(broker.nowUnixMs() + 3_000),
    }
    await broker.desire({ version: 2, state: 'active', session })
    await broker.hears('reported', ({ state }) => state === 'active')
    broker.refuse()
    broker.cut()
    expect(agent.view().phase).toBe('active')
    const doneBefore = await secondEnrolment
    expect(doneBefore.slice(doneBefore.lastIndexOf('open'))).toEqual(
      expect.arrayContaining(['lock', 'clean']),
    )
  })

  it('keeps its identity when only the network fails', async () => {
    const { broker, agent, store, asked } = await startStation()
    await broker.stop()
    await vi.waitFor(() => expect(agent.view().isOnline).toBe(false))
    const again = await createHandServer({ stationId: 'pc-01', port: Number(new URL(broker.url).port) })
    closers.push(again.stop)
    await again.hears('presence')
    expect(await store.readIdentity()).toMatchObject({ stationId: 'pc-01' })
    expect(asked()).toBe(1)
  })
})

describe('a data folder that was copied to another machine', () => {
  it('is not used there: the agent enrols for an own identity, and ignores the saved state', async () => {
    const { agent, store, platform, secondEnrolment } = await startStation()
    const state = await store.readState()
    await agent.stop()
    const enrolAt = (await store.readIdentity())?.server ?? ''
    const copy = createAgent({
      server: enrolAt,
      credentials: { kind: 'key', enrolmentKey: 'k' },
      platform: createSimulatedPlatform({ seed: 4 }),
      store,
      log: pino({ level: 'silent' }),
    })
    closers.push(copy.stop)
    await copy.start()
    await secondEnrolment
    expect(state?.stationId).toBe('pc-01')
    await vi.waitFor(() => expect(copy.view()).toMatchObject({ phase: 'pairing', pairingCode: '482716' }))
    expect(platform.done).not.toContain('open')
  })
})
