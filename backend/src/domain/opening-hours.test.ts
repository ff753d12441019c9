import { describe, expect, it } from 'vitest'
import type { OpeningHours } from '@escale/protocol'
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { faultsOfOpeningHours, openingAt } from './opening-hours.ts'

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
  it('give the time when an open site closes', () => {
    expect(at('2026-06-15T08:00:00Z')).toEqual([true, '2026-06-15T10:00:00.000Z'])
  })

  it('give the time when a closed site opens: at noon, at night, over a holiday', () => {
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

  it('support a site that never opens', () => {
    const closed = { week: [], exceptions: [] }
    expect(openingAt(closed, Date.parse('2026-06-15T08:00:00Z'), PARIS)).toEqual({
      isOpen: false,
      opensAtMs: undefined,
    })
  })
})

const span = (opens: string, closes: string) => ({ opens, closes })
const none: OpeningHours['week'] = [[], [], [], [], [], [], []]
/** Hours of some days of the week, Monday first, and exceptions by date. */
const hoursOf = (
  days: Record<number, OpeningHours['week'][number]>,
  exceptions: Record<string, OpeningHours['week'][number]> = {},
): OpeningHours => ({
  week: none.map((spans, index) => days[index] ?? spans),
  exceptions: Object.entries(exceptions).map(([date, spans]) => ({ date, spans })),
})
const opening = (open: OpeningHours, iso: string, timeZone = PARIS) => {
  const found = openingAt(open, Date.parse(iso), timeZone)
  const instantMs = found.isOpen ? found.closesAtMs : found.opensAtMs
  return [found.isOpen, instantMs === undefined ? undefined : new Date(instantMs).toISOString()]
}

describe('a span past midnight', () => {
  // Monday is 15 June 2026; Paris is two hours ahead of UTC.
  const evenings = hoursOf({ 0: [span('18:00', '02:00')], 6: [span('22:00', '04:00')] })

  it('is open before and after midnight, and closes on the day after', () => {
    expect(opening(evenings, '2026-06-15T15:59:00Z')).toEqual([false, '2026-06-15T16:00:00.000Z'])
    expect(opening(evenings, '2026-06-15T16:00:00Z')).toEqual([true, '2026-06-16T00:00:00.000Z'])
    expect(opening(evenings, '2026-06-15T23:00:00Z')).toEqual([true, '2026-06-16T00:00:00.000Z'])
    expect(opening(evenings, '2026-06-16T00:00:00Z')).toEqual([false, '2026-06-21T20:00:00.000Z'])
  })

  it('lasts from Sunday into Monday', () => {
    expect(opening(evenings, '2026-06-22T01:00:00Z')).toEqual([true, '2026-06-22T02:00:00.000Z'])
  })

  it('belongs to the day on which it began, whatever the hours of the next day are', () => {
    const closedOnTuesday = { ...evenings, exceptions: [{ date: '2026-06-16', spans: [] }] }
    expect(opening(closedOnTuesday, '2026-06-15T23:00:00Z')).toEqual([true, '2026-06-16T00:00:00.000Z'])
    const closedOnMonday = { ...evenings, exceptions: [{ date: '2026-06-15', spans: [] }] }
    expect(opening(closedOnMonday, '2026-06-15T23:00:00Z')[0]).toBe(false)
  })

  it('that ends at midnight may be written 00:00 or 24:00', () => {
    for (const closes of ['00:00', '24:00'])
      expect(opening(hoursOf({ 0: [span('18:00', closes)] }), '2026-06-15T20:00:00Z')).toEqual([
        true,
        '2026-06-15T22:00:00.000Z',
      ])
  })

  it('is an hour shorter or longer in the night when the clocks change', () => {
    const nights = hoursOf({ 5: [span('20:00', '05:00')] })
    // 28 March, 20:00 in Paris to 05:00 on the 29th: eight hours. 24 October to the 25th: ten.
    expect(opening(nights, '2026-03-28T19:00:00Z')).toEqual([true, '2026-03-29T03:00:00.000Z'])
    expect(opening(nights, '2026-10-24T18:00:00Z')).toEqual([true, '2026-10-25T04:00:00.000Z'])
  })
})

describe('invalid opening hours', () => {
  const pointersOf = (open: OpeningHours) => faultsOfOpeningHours(open).map(({ pointer }) => pointer)

  it.each<[string, OpeningHours, string[]]>([
    [
      'two spans that overlap',
      hoursOf({ 0: [span('09:00', '12:00'), span('11:59', '14:00')] }),
      ['/week/0/1/opens'],
    ],
    [
      'one span within another',
      hoursOf({ 1: [span('10:00', '11:00'), span('09:00', '18:00')] }),
      ['/week/1/1/opens'],
    ],
    [
      'the same span twice',
      hoursOf({ 2: [span('09:00', '12:00'), span('09:00', '12:00')] }),
      ['/week/2/1/opens'],
    ],
    ['a span of no length', hoursOf({ 3: [span('09:00', '09:00')] }), ['/week/3/0/closes']],
    [
      'two spans past one midnight',
      hoursOf({ 4: [span('18:00', '02:00'), span('20:00', '23:00')] }),
      ['/week/4/1/opens'],
    ],
    [
      'a night that lasts into the morning after',
      hoursOf({ 0: [span('18:00', '09:01')], 1: [span('09:00', '12:00')] }),
      ['/week/1/0/opens'],
    ],
    [
      'a night from Sunday into Monday',
      hoursOf({ 6: [span('22:00', '02:00')], 0: [span('01:00', '12:00')] }),
      ['/week/0/0/opens'],
    ],
    [
      'an exception that opens during the night before',
      hoursOf({ 0: [span('18:00', '02:00')] }, { '2026-06-16': [span('01:00', '12:00')] }),
      ['/exceptions/0/spans/0/opens'],
    ],
    [
      'an exception that lasts into the morning after',
      hoursOf({ 1: [span('01:00', '12:00')] }, { '2026-06-15': [span('18:00', '02:00')] }),
      ['/exceptions/0/spans/0/closes'],
    ],
    [
      'two exceptions in a row',
      hoursOf({}, { '2026-06-15': [span('18:00', '02:00')], '2026-06-16': [span('01:00', '12:00')] }),
      ['/exceptions/1/spans/0/opens'],
    ],
    [
      'two exceptions for one day',
      {
        ...hoursOf({}),
        exceptions: [
          { date: '2026-12-25', spans: [] },
          { date: '2026-12-25', spans: [span('09:00', '12:00')] },
        ],
      },
      ['/exceptions/1/date'],
    ],
  ])('are reported with their place: %s', (_what, open, pointers) => {
    expect(pointersOf(open)).toEqual(pointers)
  })

  it.each<[string, OpeningHours]>([
    ['spans that meet', hoursOf({ 0: [span('09:00', '12:00'), span('12:00', '18:00')] })],
    ['spans in any order', hoursOf({ 0: [span('14:00', '18:00'), span('09:00', '12:00')] })],
    ['a whole week', { week: none.map(() => [span('00:00', '24:00')]), exceptions: [] }],
    ['nights that meet mornings', hoursOf({ 0: [span('18:00', '02:00')], 1: [span('02:00', '12:00')] })],
    [
      'an exception that makes room for the night before it',
      hoursOf(
        { 0: [span('18:00', '02:00')], 1: [span('03:00', '12:00')] },
        { '2026-06-16': [span('02:00', '04:00')] },
      ),
    ],
  ])('do not include %s', (_what, open) => {
    expect(pointersOf(open)).toEqual([])
  })
})

describe('any opening hours', () => {
  const time = fc.integer({ min: 0, max: 95 }).map((quarter) => {
    return `${String(Math.floor(quarter / 4)).padStart(2, '0')}:${String((quarter % 4) * 15).padStart(2, '0')}`
  })
  const spans = fc.array(fc.record({ opens: time, closes: fc.oneof(time, fc.constant('24:00')) }), {
    maxLength: 3,
  })
  const anyHours: fc.Arbitrary<OpeningHours> = fc.record({
    week: fc.array(spans, { minLength: 7, maxLength: 7 }),
    exceptions: fc.array(
      fc.record({ date: fc.integer({ min: 10, max: 28 }).map((day) => `2026-03-${String(day)}`), spans }),
      { maxLength: 3 },
    ),
  })
  const instant = fc
    .integer({ min: Date.parse('2026-03-11T00:00:00Z'), max: Date.parse('2026-04-03T00:00:00Z') })
    .map((unixMs) => Math.floor(unixMs / 900_000) * 900_000)

  /** A simple check with the wall-clock time and the two days on which a span can have begun. */
  function isOpenByTheWall(open: OpeningHours, unixMs: number): boolean {
    const local = Temporal.Instant.fromEpochMilliseconds(unixMs).toZonedDateTimeISO(PARIS)
    const on = (day: Temporal.PlainDate) =>
      open.exceptions.find(({ date }) => date === day.toString())?.spans ?? open.week[day.dayOfWeek - 1] ?? []
    const now = local.toPlainTime().toString().slice(0, 5)
    const today = on(local.toPlainDate()).some(({ opens, closes }) =>
      closes < opens ? now >= opens : opens <= now && now < closes,
    )
    return (
      today ||
      on(local.toPlainDate().subtract({ days: 1 })).some(
        ({ opens, closes }) => closes < opens && now < closes,
      )
    )
  }

  it('are open exactly when the wall-clock time says so', () => {
    fc.assert(
      fc.property(anyHours, instant, (open, unixMs) => {
        // In the night when the clocks change, a wall-clock time occurs twice or never.
        fc.pre(!new Date(unixMs).toISOString().startsWith('2026-03-29T0'))
        expect(openingAt(open, unixMs, PARIS).isOpen).toBe(isOpenByTheWall(open, unixMs))
      }),
      { numRuns: 1_000 },
    )
  })

  it('of a week are refused exactly when a quarter of an hour has two spans, or a span has none', () => {
    const quarterOf = (text: string) => text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) / 15
    fc.assert(
      fc.property(fc.array(spans, { minLength: 7, maxLength: 7 }), fc.nat(6), (all, kept) => {
        // With seven full days nearly every set overlaps. Two days in a row are enough.
        const week = all.map((day, index) => ([kept, (kept + 1) % 7].includes(index) ? day : []))
        const taken = week.flatMap((day, index) =>
          day.flatMap(({ opens, closes }) => {
            const [from, to] = [quarterOf(opens), quarterOf(closes)]
            const length = to < from ? to + 96 - from : to - from
            return Array.from({ length }, (_, n) => (index * 96 + from + n) % (7 * 96))
          }),
        )
        const isFaulty =
          taken.length > new Set(taken).size || week.flat().some(({ opens, closes }) => opens === closes)
        expect(faultsOfOpeningHours({ week, exceptions: [] }).length > 0).toBe(isFaulty)
      }),
      { numRuns: 1_000 },
    )
  })

  it('close and open later than now, and have the other state at that time', () => {
    fc.assert(
      fc.property(anyHours, instant, (open, unixMs) => {
        const found = openingAt(open, unixMs, PARIS)
        const nextMs = found.isOpen ? found.closesAtMs : found.opensAtMs
        if (nextMs === undefined) return
        expect(nextMs).toBeGreaterThan(unixMs)
        expect(openingAt(open, nextMs - 1, PARIS).isOpen).toBe(found.isOpen)
        if (!found.isOpen) expect(openingAt(open, nextMs, PARIS).isOpen).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
