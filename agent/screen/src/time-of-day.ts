import type { Language } from '@escale/protocol'
import { isTimeZone } from '@escale/protocol/time-zone'

/**
 * The time of day in the usual notation of the language: `18 h`, `18 h 05`; `6:00 PM`. It is in the site's time zone, or
 * in the station's own if this browser does not know that zone.
 */
export function timeOfDay(at: Date, language: Language, timeZone?: string): string {
  const isKnown = timeZone !== undefined && isTimeZone(timeZone)
  const hours = { hour: 'numeric', minute: '2-digit', timeZone: isKnown ? timeZone : undefined } as const
  if (language === 'en') return new Intl.DateTimeFormat('en', hours).format(at)
  const parts = new Intl.DateTimeFormat('fr', { ...hours, hourCycle: 'h23' }).formatToParts(at)
  const valueOf = (type: 'hour' | 'minute') => parts.find((part) => part.type === type)?.value ?? ''
  const hour = `${Number(valueOf('hour'))}\u00a0h`
  return valueOf('minute') === '00' ? hour : `${hour}\u00a0${valueOf('minute')}`
}
