import type { Language } from '@escale/protocol'

/** The time of day as people read it, in the station's time zone: `18 h`, `18 h 05`; `6:00 PM`. */
export function timeOfDay(at: Date, language: Language): string {
  if (language === 'en') {
    return new Intl.DateTimeFormat('en', { hour: 'numeric', minute: '2-digit' }).format(at)
  }
  const minutes = at.getMinutes()
  const hour = `${at.getHours()}\u00a0h`
  return minutes === 0 ? hour : `${hour}\u00a0${String(minutes).padStart(2, '0')}`
}
