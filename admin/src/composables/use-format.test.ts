import { afterEach, describe, expect, it } from 'vitest'
import { formattingIn } from './use-format.ts'

const ownZone = process.env['TZ']
afterEach(() => {
  if (ownZone === undefined) delete process.env['TZ']
  else process.env['TZ'] = ownZone
})

/** Late in the evening at a desk in Martinique, and the day after in Europe. */
const EVENING = '2026-03-02T01:30:00.000Z'
const browserZones = ['UTC', 'America/Martinique', 'Europe/Paris', 'Pacific/Kiritimati']

describe.each(browserZones)('in a browser whose clock is set to %s', (zone) => {
  it('shows times and dates of the site’s time zone', () => {
    process.env['TZ'] = zone
    const there = formattingIn('fr', 'America/Martinique')
    expect(there.time(EVENING)).toBe('21:30')
    expect(there.clock(Date.parse(EVENING))).toBe('21:30:00')
    expect(there.date(EVENING)).toBe('1 mars 2026')
    expect(there.dayTime(EVENING)).toBe('dimanche 1 mars à 21:30')
    expect(there.dateTime(EVENING)).toBe('01/03/2026 21:30:00')
    expect(formattingIn('en', 'America/Martinique').dateTime(EVENING)).toBe('01/03/2026, 21:30:00')
  })

  it('shows a birth date as entered, in any time zone', () => {
    process.env['TZ'] = zone
    for (const site of [...browserZones, undefined])
      expect(formattingIn('fr', site).calendarDate('1994-05-17')).toBe('17 mai 1994')
  })
})
