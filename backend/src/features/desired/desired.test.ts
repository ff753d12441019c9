import { SiteSettings } from '@escale/protocol'
import { pino } from 'pino'
import { Create } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryBus } from '../../testing/memory-bus.ts'
import { createAppEvents } from '../../events.ts'
import { rowsIn } from '../../testing/rows.ts'
import { startTestApp, type TestApp } from '../../testing/app.ts'
import { createDesiredDocuments } from './documents.ts'

let test: TestApp
beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

describe('a document that is sent again', () => {
  it('does not replace a newer one that was committed while it was read', async () => {
    const { id } = await test.createStation()
    const bus = createMemoryBus()
    const rows = rowsIn(test.db)
    const isReading = Promise.withResolvers<undefined>()
    const mayGoOn = Promise.withResolvers<undefined>()
    let isFirst = true
    const sessions = {
      async findRunningAtAny(stationIds: string[]) {
        if (isFirst) {
          isFirst = false
          isReading.resolve(undefined)
          await mayGoOn.promise
        }
        return rows.sessions.findRunningAtAny(stationIds)
      },
    }
    const settings = { current: () => Create(SiteSettings) }
    const desired = createDesiredDocuments({
      ...{
        ...rows,
        database: test.db,
        sessions,
        settings,
        bus,
        events: createAppEvents(),
        clock: test.clock,
      },
      calls: { statesAt: () => Promise.resolve(new Map()) },
      logs: { last: () => Promise.resolve(undefined) },
      machines: { isInConflict: () => false },
      room: { station: () => undefined },
      hasPeers: false,
      rates: { allows: () => true, drop: () => undefined },
      log: pino({ level: 'silent' }),
    })
    const refreshed = desired.refresh(id)
    await isReading.promise
    const version = await test.db.write(() => desired.change(id, ['station.updated']))
    mayGoOn.resolve(undefined)
    await refreshed
    expect(bus.published).toMatchObject([{ name: 'desired', payload: { version } }])
  })
})
