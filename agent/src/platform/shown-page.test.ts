import { expect, it } from 'vitest'
import { createConditions } from '../conditions.ts'
import { lockedByPage } from './shown-page.ts'
import { createSimulatedPlatform } from './simulated/simulated-platform.ts'

/** A page that the test opens. */
function page() {
  let isThere = false
  const pages = createConditions()
  return {
    ...{ pages, hasPage: () => isThere },
    open: () => {
      isThere = true
      pages.check()
    },
  }
}
const never = new AbortController().signal

it('a station is locked once a page shows the lock', async () => {
  const shown = page()
  const events: string[] = []
  const locking = lockedByPage(createSimulatedPlatform({ seed: 1 }), shown).lock(never)
  const done = locking.then(() => events.push('locked'))
  await Promise.resolve()
  events.push('opened')
  shown.open()
  await done
  expect(events).toEqual(['opened', 'locked'])
})

it('a station without its page is not locked', async () => {
  const platform = lockedByPage(createSimulatedPlatform({ seed: 1 }), page(), 20)
  await expect(platform.lock(never)).rejects.toThrow('no page shows the lock')
})

it('a lock that was given up waits for no page', async () => {
  const aborter = new AbortController()
  const locking = lockedByPage(createSimulatedPlatform({ seed: 1 }), page()).lock(aborter.signal)
  aborter.abort()
  await expect(locking).rejects.toThrow('aborted')
})
