import { SECOND_MS } from '@escale/protocol'
import { openingAt, type OpeningAt } from '../../domain/opening-hours.ts'
import type { Settings } from './store.ts'

/** Times of sessions are cut to whole seconds: an end so close to closing time is caused by it. */
const TOLERANCE_MS = SECOND_MS

/** Whether the site is open at an instant, and until when; a site without hours always is. */
export function siteOpeningAt(settings: Settings, nowMs: number): OpeningAt {
  const { openingHours, timeZone } = settings.current()
  return openingHours ? openingAt(openingHours, nowMs, timeZone) : { isOpen: true, closesAtMs: Infinity }
}

/** The closing time that ends a session at `endsAtMs`; undefined when something else ends it. */
export function closingThatEnds(settings: Settings, endsAtMs: number, nowMs: number): number | undefined {
  const opening = siteOpeningAt(settings, nowMs)
  return opening.isOpen && endsAtMs > opening.closesAtMs - TOLERANCE_MS ? opening.closesAtMs : undefined
}
