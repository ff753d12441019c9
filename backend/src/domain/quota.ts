import type { CanCreateSession } from '@escale/protocol'
import { Temporal } from 'temporal-polyfill'

export interface CreationFacts {
  consentGiven: boolean
  isConsentRequired: boolean
  sessionsToday: number
  quota: number
}

/** Whether a session may be created, with every reason against it. */
export function canCreateSession(facts: CreationFacts): CanCreateSession {
  const reasons: CanCreateSession['reasons'] = []
  if (facts.isConsentRequired && !facts.consentGiven) reasons.push('consent-missing')
  if (facts.sessionsToday >= facts.quota) reasons.push('quota-reached')
  return {
    allowed: reasons.length === 0,
    reasons,
    sessionsToday: facts.sessionsToday,
    quota: facts.quota,
  }
}

/**
 * The first instant of the calendar day of `nowMs` in a time zone, Unix milliseconds. It is also right when the
 * clocks change and a day has 23 or 25 hours.
 * @param timeZone an IANA name, e.g. `Europe/Paris`
 */
export const startOfDayMs = (nowMs: number, timeZone: string): number =>
  Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone).startOfDay().epochMilliseconds
