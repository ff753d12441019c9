import { describe, expect, it } from 'vitest'
import type { OpeningHours } from '@escale/protocol'
import { openingAt } from './opening-hours.ts'

const PARIS = 'Europe/Paris'
const day = [
  { opens: '09:00', closes: '12:00' },
  { opens: '14:00', closes: '18:00' },
]
const hours: OpeningHours = {
  week: [
    day,
    day,
    day,
    day,
    day,
    [{ opens: '10:00', closes: '24:00' }],
    [{ opens: '00:00', closes: '01:00' }],
  ],
  exceptions: [
    { date: '2026-12-25', spans: [] },
    { date: '2026-12-24', spans: [{ opens: '09:00', closes: '16:00' }] },
  ],
}
const at = (iso: string, timeZone = PARIS) => {
  const opening = openingAt(hours, Date.parse(iso), timeZone)
  const instantMs = opening.isOpen ? opening.closesAtMs : opening.opensAtMs
  return [opening.isOpen, instantMs === undefined ? undefined : new Date(instantMs).toISOString()]
}

describe('the opening hours', () => {
  it('say when an open site closes', () => {
    expect(at('2026-06-15T08:00:00Z')).toEqual([true, '2026-06-15T10:00:00.000Z'])
  })

  it('say when a closed site opens: at noon, at night, over a holiday', () => {
    expect(at('2026-06-15T10:00:00Z')).toEqual([false, '2026-06-15T12:00:00.000Z'])
    expect(at('2026-06-15T20:00:00Z')).toEqual([false, '2026-06-16T07:00:00.000Z'])
    expect(at('2026-12-24T15:30:00Z')).toEqual([false, '2026-12-26T09:00:00.000Z'])
  })

  it('join spans that meet at midnight', () => {
    expect(at('2026-06-20T20:00:00Z')).toEqual([true, '2026-06-20T23:00:00.000Z'])
  })

  it('are wall-clock times on a day when the clocks change', () => {
    expect(at('2026-03-28T22:00:00Z')).toEqual([true, '2026-03-29T00:00:00.000Z'])
    expect(at('2026-10-26T08:00:00Z')).toEqual([true, '2026-10-26T11:00:00.000Z'])
  })

  it('know a site that never opens', () => {
    const closed = { week: [], exceptions: [] }
    expect(openingAt(closed, Date.parse('2026-06-15T08:00:00Z'), PARIS)).toEqual({
      isOpen: false,
      opensAtMs: undefined,
    })
  })
})
