import { describe, expect, it } from 'vitest'
import { caretAfterFormat, formatTyped, isWhole } from './code-format.ts'
import { clockText, secondsLeft } from './countdown.ts'
import { texts } from './texts.ts'
import { timeOfDay } from './time-of-day.ts'

describe('the code field', () => {
  it.each([
    ['abcd', 'ABCD'],
    ['abcd2', 'ABCD-2'],
    ['ABCD-2345', 'ABCD-2345'],
    [' ab cd – 23 45 ', 'ABCD-2345'],
    ['ABCD23456789', 'ABCD-2345'],
  ])('shows %j as %j', (typed, shown) => {
    expect(formatTyped(typed)).toBe(shown)
  })

  it('keeps the caret where the visitor corrects', () => {
    expect(caretAfterFormat('ABXCD-234', 3)).toBe(3)
    expect(caretAfterFormat('ABCD2', 5)).toBe(6)
    expect(isWhole('ABCD-2345')).toBe(true)
  })
})

describe('the countdown', () => {
  it('shows a started second as left, 0 only at the end, and never more than its ceiling', () => {
    const countdown = { remainingMs: 2_000, atMs: 500 }
    expect([500, 501, 1_500, 2_499, 2_500, 9_000].map((nowMs) => secondsLeft(countdown, nowMs))).toEqual([
      2, 2, 1, 1, 0, 0,
    ])
    expect(secondsLeft({ ...countdown, capMs: 900 }, 500)).toBe(1)
  })

  it('reads as people read it', () => {
    expect([0, 9, 245, 3_600, 36_061].map(clockText)).toEqual(['0:00', '0:09', '4:05', '1:00:00', '10:01:01'])
  })
})

describe('a time of day', () => {
  it('reads as people read it in either language', () => {
    const [six, later] = [new Date(2027, 0, 15, 18, 0), new Date(2027, 0, 15, 9, 5)]
    expect(timeOfDay(six, 'fr')).toBe('18\u00a0h')
    expect(timeOfDay(later, 'fr')).toBe('9\u00a0h\u00a005')
    expect(timeOfDay(six, 'en')).toMatch(/^6:00\sPM$/)
  })
})

describe('the French texts', () => {
  const french = (function all(value: unknown): string[] {
    if (typeof value === 'string') return [value]
    if (typeof value === 'function') return [(value as (one: number) => string)(2)]
    return Object.values(value as object).flatMap(all)
  })(texts.fr)

  it('have narrow spaces before high punctuation, typographic apostrophes and no straight ones', () => {
    for (const text of french) {
      expect(text).not.toMatch(/[^\u202f][;!?]/)
      expect(text).not.toMatch(/[^\u00a0]:/)
      expect(text).not.toContain("'")
      expect(text).not.toMatch(/\d (?:minute|seconde|lettre)/)
    }
  })
})
