import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { watchKiosk, type KioskWatch } from './kiosk.ts'

const limits = { pageMs: 200, absentMs: 50, stableMs: 60_000, retry: { leastMs: 20, mostMs: 40 } }
let watch: KioskWatch | undefined
afterEach(() => watch?.stop())

/** Browsers that the test controls: it ends each of them, and makes the page come and go. */
function hand({ isEnrolled = true } = {}) {
  const opened: { end: (reason: string) => void; isClosed: boolean }[] = []
  const waiting = new Set<() => void>()
  const faults: string[] = []
  const listeners: (() => void)[] = []
  let isThere = false
  const open = () => {
    const ended = Promise.withResolvers<undefined>()
    let reason: string | undefined
    const one = {
      isClosed: false,
      end: (why: string) => {
        reason = why
        ended.resolve(undefined)
      },
    }
    opened.push(one)
    for (const look of waiting) look()
    const close = () => {
      one.isClosed = true
    }
    return Promise.resolve({ close, ended: ended.promise, endReason: () => reason })
  }
  return {
    opened,
    faults,
    setPage: (isOpen: boolean) => {
      isThere = isOpen
      for (const listener of listeners) listener()
    },
    start: () =>
      (watch = watchKiosk({
        open,
        hasPage: () => isThere,
        watchPages: (listener) => listeners.push(listener),
        reportFault: (kind, error) => isEnrolled && faults.push(`${kind}: ${error}`) > 0,
        log: pino({ level: 'silent' }),
        limits,
      })),
    opens: (count: number) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (opened.length >= count) resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}

describe('the kiosk', () => {
  it('is shown when its page has connected, not when it was started', async () => {
    const kiosk = hand()
    const { shown, status } = kiosk.start()
    await kiosk.opens(1)
    expect(status()).toEqual({ state: 'starting' })
    kiosk.setPage(true)
    await shown
    expect(status()).toEqual({ state: 'shown' })
    expect(kiosk.faults).toEqual([])
  })

  it('is started again when it ends, and its reason is reported once', async () => {
    const kiosk = hand()
    const { status } = kiosk.start()
    for (let count = 1; count <= 4; count += 1) {
      await kiosk.opens(count)
      kiosk.opened[count - 1]!.end('no display')
    }
    await kiosk.opens(5)
    expect(status()).toEqual({ state: 'failed', reason: 'no display' })
    expect(kiosk.faults).toEqual(['kiosk-failed: no display'])
  })

  it('is closed and started again when it shows no page', async () => {
    const kiosk = hand()
    kiosk.start()
    await kiosk.opens(2)
    expect(kiosk.opened[0]!.isClosed).toBe(true)
    expect(kiosk.faults).toEqual(['kiosk-failed: it does not show the page'])
  })

  it('is started again when its page goes away, not when it is reloaded', async () => {
    const kiosk = hand()
    const { shown } = kiosk.start()
    await kiosk.opens(1)
    kiosk.setPage(true)
    await shown
    kiosk.setPage(false)
    kiosk.setPage(true)
    expect(kiosk.opened).toHaveLength(1)
    kiosk.setPage(false)
    await kiosk.opens(2)
    expect(kiosk.faults).toEqual(['kiosk-failed: its page is gone'])
  })

  it('reports its reason to the server when the station is enrolled', async () => {
    const kiosk = hand({ isEnrolled: false })
    kiosk.start()
    for (const count of [1, 2]) {
      await kiosk.opens(count)
      kiosk.opened[count - 1]!.end('no display')
    }
    await kiosk.opens(3)
    expect(kiosk.faults).toEqual([])
  })

  it('is not restarted when it passed its page to a browser that already runs', async () => {
    const kiosk = hand()
    const { shown } = kiosk.start()
    await kiosk.opens(1)
    kiosk.setPage(true)
    await shown
    kiosk.opened[0]!.end('it ended with 0')
    expect(kiosk.opened).toHaveLength(1)
  })
})
