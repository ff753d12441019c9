import type { CanCreateSession } from '@escale/protocol'

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
 * The first instant of the calendar day that `nowMs` falls on in a time zone, Unix milliseconds. Right
 * across a change of clocks, where a day has 23 or 25 hours.
 * @param timeZone an IANA name, e.g. `Europe/Paris`
 */
export function startOfDayMs(nowMs: number, timeZone: string): number {
  const day = dayIn(nowMs, timeZone)
  const HOUR_MS = 3_600_000
  let low = nowMs - 26 * HOUR_MS
  let high = nowMs
  // The day's name changes once in this span: halve it until the change is found.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (dayIn(middle, timeZone) === day) high = middle
    else low = middle
  }
  return high
}

function dayIn(unixMs: number, timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone }).format(unixMs)
}
