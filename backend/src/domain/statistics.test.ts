import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { StatisticsDimension } from '@escale/protocol'
import { OTHERS_KEY, SMALLEST_CELL_PERSONS, ageBandOf, createTally, type SessionFact } from './statistics.ts'

const PARIS = 'Europe/Paris'
const fact = (over: Partial<SessionFact>): SessionFact => ({
  personKey: 'p',
  createdAtMs: Date.parse('2026-06-15T10:00:00Z'),
  usedMs: 0,
  ...over,
})
function statisticsBy(dimension: StatisticsDimension, facts: SessionFact[], timeZone: string) {
  const tally = createTally(dimension, timeZone)
  for (const one of facts) tally.add(one)
  return tally.rows()
}
const people = (count: number, over: Partial<SessionFact>) =>
  Array.from({ length: count }, (_, i) => fact({ personKey: `${over.municipality ?? ''}${i}`, ...over }))

describe('statistics', () => {
  it('count days, hours, weeks and months in the time zone of the site', () => {
    const facts = [fact({ createdAtMs: Date.parse('2026-12-31T23:30:00Z') })]
    expect(statisticsBy('day', facts, PARIS)[0]?.key).toBe('2027-01-01')
    expect(statisticsBy('month', facts, PARIS)[0]?.key).toBe('2027-01')
    expect(statisticsBy('week', facts, PARIS)[0]?.key).toBe('2026-W53')
    expect(statisticsBy('hour', facts, PARIS)[0]?.key).toBe('00')
  })

  it('use the exact offset of time zones with quarters of an hour', () => {
    const at = (iso: string) => fact({ createdAtMs: Date.parse(iso) })
    const facts = [at('2026-06-15T18:14:59.999Z'), at('2026-06-15T18:15:00.000Z')]
    const days = statisticsBy('day', facts, 'Asia/Kathmandu')
    expect(days.map(({ key, sessions }) => [key, sessions])).toEqual([
      ['2026-06-15', 1],
      ['2026-06-16', 1],
    ])
  })

  it('count each anonymous pass as one person', () => {
    const facts = [...people(2, {}), ...people(2, {}), fact({ personKey: null }), fact({ personKey: null })]
    expect(statisticsBy('day', facts, PARIS)[0]).toMatchObject({ persons: 4, sessions: 6 })
  })

  it('average wait and length over the sessions that were started', () => {
    const createdAtMs = Date.parse('2026-06-15T10:00:00Z')
    const facts = [
      fact({ createdAtMs, startedAtMs: createdAtMs + 60_000, usedMs: 600_000 }),
      fact({ createdAtMs, startedAtMs: createdAtMs + 120_000, usedMs: 1_200_000, personKey: 'q' }),
      fact({ createdAtMs }),
    ]
    expect(statisticsBy('day', facts, PARIS)).toEqual([
      {
        key: '2026-06-15',
        persons: 2,
        sessions: 3,
        startedSessions: 2,
        usedSeconds: 1_800,
        averageWaitSeconds: 90,
        averageLengthSeconds: 900,
      },
    ])
  })

  it('show small municipalities only together', () => {
    const facts = [
      ...people(9, { municipality: 'Brest' }),
      ...people(6, { municipality: 'Crozon' }),
      ...people(2, { municipality: 'Ouessant' }),
    ]
    expect(statisticsBy('municipality', facts, PARIS).map(({ key, persons }) => [key, persons])).toEqual([
      ['Brest', 9],
      [OTHERS_KEY, 8],
    ])
  })

  test('never show a group of fewer than five persons, and omit no session that can be shown', () => {
    const cell = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
    const facts = fc.array(fc.record({ municipality: cell, person: fc.nat(40) }), { maxLength: 120 })
    fc.assert(
      fc.property(facts, (given) => {
        const all = given.map(({ municipality, person }) => fact({ municipality, personKey: String(person) }))
        const rows = statisticsBy('municipality', all, PARIS)
        expect(rows.every(({ persons }) => persons >= SMALLEST_CELL_PERSONS)).toBe(true)
        const shown = rows.reduce((sum, { sessions }) => sum + sessions, 0)
        const hasEnough = new Set(all.map(({ personKey }) => personKey)).size >= SMALLEST_CELL_PERSONS
        expect(shown).toBe(hasEnough ? all.length : 0)
      }),
    )
  })

  it('use the age on the day of the session', () => {
    const on = (iso: string) => ageBandOf('2000-06-15', Date.parse(iso), PARIS)
    expect(on('2020-06-14T12:00:00Z')).toBe('10-19')
    expect(on('2020-06-14T22:30:00Z')).toBe('20-29')
    expect(ageBandOf('1930-01-01', Date.parse('2026-06-15T12:00:00Z'), PARIS)).toBe('80+')
  })
})
