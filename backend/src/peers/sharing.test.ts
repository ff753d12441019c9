import type { Presence } from '@escale/protocol'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryBus } from '../testing/memory-bus.ts'
import type { SessionRecord } from '../db/rows.ts'
import { createAppEvents, type AppEvent } from '../events.ts'
import { useFakeTime } from '../testing/app.ts'
import { createMemoryPeers } from '../testing/memory-peers.ts'
import { createSharing } from './sharing.ts'

const LOOK_EVERY_MS = 5_000
const NOW_MS = Date.parse('2026-03-01T10:00:00Z')

beforeEach(() => useFakeTime(NOW_MS))
afterEach(() => vi.useRealTimers())

const presence = (fields: Partial<Presence>): Presence => ({
  online: true,
  cause: 'birth',
  bootId: 'boot-1',
  agentVersion: '1.0.0',
  hostname: 'pc',
  os: 'Debian 13',
  ipAddress: '192.0.2.1',
  macAddress: '02:00:00:00:00:01',
  ...fields,
})

const session = (version: number, state: SessionRecord['state']) =>
  ({ id: 's1', version, state }) as SessionRecord
const changed = (version: number, state: SessionRecord['state']): AppEvent => ({
  type: 'sessionChanged',
  session: session(version, state),
  effects: [],
})

/** The parts of a server that share news. `missed` are the events that it finds in the database. */
async function join(site: ReturnType<typeof createMemoryPeers>, missed: AppEvent[] = []) {
  const events = createAppEvents()
  const seen: { event: AppEvent; origin: string }[] = []
  events.subscribe((event, origin) => seen.push({ event, origin }))
  const ownBus = createMemoryBus()
  const clock = { nowMs: () => Date.now() }
  const sharing = createSharing(site.join(), events, clock, pino({ level: 'silent' }))
  const isPublished = Promise.withResolvers<undefined>()
  const looks = vi.fn(() => Promise.resolve(missed))
  await sharing.start({
    bus: ownBus,
    room: { reload: () => Promise.resolve() },
    presences: { note: () => undefined },
    desired: { refresh: () => isPublished.promise },
    settings: { load: () => Promise.resolve() },
    broker: { takeOver: () => undefined },
    catchUp: looks,
  })
  return {
    events,
    seen,
    looks,
    heard: ownBus.published,
    bus: sharing.busOver(ownBus),
    /** Publishes the document that a change on another server has requested. */
    publishDocument: () => isPublished.resolve(undefined),
    close: () => sharing.close(),
  }
}

describe('news between servers', () => {
  it('about a commit reaches each other server once, and is not forwarded', async () => {
    const site = createMemoryPeers()
    const [a, b, c] = [await join(site), await join(site), await join(site)]
    a.events.emit(changed(1, 'active'))
    expect(a.seen).toMatchObject([{ origin: 'here' }])
    for (const { seen } of [b, c])
      expect(seen).toMatchObject([{ event: { session: { id: 's1' } }, origin: 'peer' }])
  })

  it('about a session is ignored if a newer version is known', async () => {
    const site = createMemoryPeers()
    const [a, b] = [await join(site), await join(site)]
    b.events.emit(changed(4, 'ended'))
    b.seen.length = 0
    // Committed before the newer version, but received after it.
    const late = await join(site)
    late.events.emit(changed(3, 'active'))
    expect(b.seen).toEqual([])
    expect(a.seen.map(({ event }) => event.type === 'sessionChanged' && event.session.version)).toEqual([4])
  })

  it('contains no answers with valid codes, and nothing that each server creates itself', async () => {
    const site = createMemoryPeers()
    const [a, b] = [await join(site), await join(site)]
    await a.bus.publish('response', 'pc-01', { id: 'r1', ok: true, data: {} })
    await a.bus.publish('automationResponse', 'bot', { id: 'r1', ok: true, data: {} })
    await a.bus.publish('presence', 'pc-01', presence({}))
    expect(b.heard.map(({ name }) => name)).toEqual(['presence'])
  })

  it('about retained messages of stations is sent again to a server that joins later', async () => {
    const site = createMemoryPeers()
    const a = await join(site)
    await a.bus.publish('presence', 'pc-01', presence({ connectionSeq: 1 }))
    await a.bus.publish('presence', 'pc-01', presence({ connectionSeq: 2 }))
    const b = await join(site)
    expect(b.heard).toMatchObject([{ name: 'presence', party: 'pc-01', payload: { connectionSeq: 2 } }])
  })

  it('about a station is ignored if the station has moved to this server', async () => {
    const site = createMemoryPeers()
    const [a, b] = [await join(site), await join(site)]
    await a.bus.publish('presence', 'pc-01', presence({ connectionSeq: 1 }))
    site.cut()
    vi.advanceTimersByTime(1_000)
    await b.bus.publish('presence', 'pc-01', presence({ connectionSeq: 2 }))
    site.mend()
    expect(b.heard.at(-1)).toMatchObject({ payload: { connectionSeq: 2 } })
    expect(a.heard.at(-1)).toMatchObject({ payload: { connectionSeq: 2 } })
  })

  it('about a command waits for the document that belongs to it', async () => {
    const site = createMemoryPeers()
    const [a, b] = [await join(site), await join(site)]
    a.events.emit({ type: 'desiredChanged', stationId: 'pc-01', version: 2, actions: [], askedAtMs: NOW_MS })
    const command = { id: 'c1', op: 'lock', params: {}, expiresAt: '2026-03-01T10:01:00.000Z' } as const
    await a.bus.publish('command', 'pc-01', command)
    expect(b.heard).toEqual([])
    b.publishDocument()
    await vi.waitFor(() => expect(b.heard).toMatchObject([{ name: 'command' }]))
  })

  it('is read from the database at once and every five seconds without a connection, and once at its return', async () => {
    const site = createMemoryPeers()
    const missed = [changed(2, 'active')]
    const a = await join(site, missed)
    await vi.waitFor(() => expect(a.seen).toMatchObject([{ event: missed[0], origin: 'peer' }]))
    expect(a.looks).toHaveBeenCalledTimes(1)
    site.cut()
    for (let look = 2; look <= 4; look += 1) {
      await vi.advanceTimersByTimeAsync(look === 2 ? 0 : LOOK_EVERY_MS)
      expect(a.looks).toHaveBeenCalledTimes(look)
    }
    site.mend()
    await vi.advanceTimersByTimeAsync(3 * LOOK_EVERY_MS)
    expect(a.looks).toHaveBeenCalledTimes(5)
    await a.close()
  })
})
