import { describe, expect, it } from 'vitest'
import { codeIn, meaningOf, nothingTyped, typeInto, wholeCode } from './code-entry.ts'
import { caretAfterFormat, formatTyped, isWhole } from './code-format.ts'
import { clockText, secondsLeft } from './countdown.ts'
import { texts } from './languages.ts'
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

  it('keeps the caret where the visitor corrects the code', () => {
    expect(caretAfterFormat('ABXCD-234', 3)).toBe(3)
    expect(caretAfterFormat('ABCD2', 5)).toBe(6)
    expect(isWhole('ABCD-2345')).toBe(true)
  })
})

describe('a key', () => {
  const of = (key: string, code: string, hasModifier = false) => meaningOf({ key, code, hasModifier })
  it.each([
    ['a', 'KeyQ', { kind: 'typed', char: 'A' }],
    ['5', 'Numpad5', { kind: 'typed', char: '5' }],
    ['é', 'Digit2', { kind: 'hidden', char: '2' }],
    ['@', 'Digit2', { kind: 'hidden', char: '2' }],
    ['Dead', 'Digit9', { kind: 'hidden', char: '9' }],
    ['-', 'Digit6', { kind: 'dash', char: '6' }],
    ['_', 'Digit8', { kind: 'dash', char: '8' }],
    ['-', 'Minus', undefined],
    ['é', 'KeyE', undefined],
    ['Enter', 'Enter', undefined],
  ])('%s at %s means what its layout hides', (key, code, meaning) => {
    expect(of(key, code)).toEqual(meaning)
    expect(of(key, code, true)).toBeUndefined()
  })

  it('of a dash counts as a digit if one is missing', () => {
    const dash = (char: string) => ({ kind: 'dash', char }) as const
    const chars = (text: string) => Array.from(text).map((char) => ({ kind: 'typed', char }) as const)
    const typed = [...chars('ABCD'), dash('6'), dash('8'), ...chars('23')].reduce(typeInto, nothingTyped)
    expect(wholeCode(typed)).toBe('ABCD6823')
    expect(wholeCode(chars('45').reduce(typeInto, typed))).toBe('ABCD2345')
    expect(wholeCode(chars('ABC').reduce(typeInto, nothingTyped))).toBeUndefined()
  })
})

describe('the digit row of a French keyboard without Shift', () => {
  const row = Array.from('à&é"\'(-è_ç', (key, digit) => [key, String(digit)] as const)

  it.each(row)('types %s for the digit %s, by the key’s position', (key, digit) => {
    expect(meaningOf({ key, code: `Digit${digit}`, hasModifier: false })?.char).toBe(digit)
  })

  it.each(row)('types %s for the digit %s, if the keyboard tells no position', (key, digit) => {
    expect(meaningOf({ key, code: '', hasModifier: false })?.char).toBe(digit)
    expect(meaningOf({ key: key.toUpperCase(), code: '', hasModifier: false })?.char).toBe(digit)
  })

  it.each(row)('is read in a pasted text: %s is %s', (char, digit) => {
    expect(codeIn(`ab${char}def${char}h`)).toBe(`AB${digit}DEF${digit}H`)
  })
})

describe('a pasted code', () => {
  it.each([
    ['ABCD-2345\n', 'ABCD2345'],
    ['abcd 2345\t', 'ABCD2345'],
    ['  a b c d - 2 3 4 5\r\n', 'ABCD2345'],
    ['abcd-é"\'(\n', 'ABCD2345'],
    ['abcd–é"’(', 'ABCD2345'],
    ['é"\'(abcd', '2345ABCD'],
    ['abc', 'ABC'],
    ['l’été à', 'LT'],
  ])('%j is read as %s', (text, code) => {
    expect(codeIn(text)).toBe(code)
  })
})

describe('the countdown', () => {
  it('rounds seconds up, shows 0 only at the end, and never more than its limit', () => {
    const countdown = { remainingMs: 2_000, atMs: 500 }
    expect([500, 501, 1_500, 2_499, 2_500, 9_000].map((nowMs) => secondsLeft(countdown, nowMs))).toEqual([
      2, 2, 1, 1, 0, 0,
    ])
    expect(secondsLeft({ ...countdown, capMs: 900 }, 500)).toBe(1)
  })

  it('is written in the usual notation', () => {
    expect([0, 9, 245, 3_600, 36_061].map(clockText)).toEqual(['0:00', '0:09', '4:05', '1:00:00', '10:01:01'])
  })
})

describe('a time of day', () => {
  it('is written in the usual notation of each language', () => {
    const [six, later] = [new Date(2027, 0, 15, 18, 0), new Date(2027, 0, 15, 9, 5)]
    expect(timeOfDay(six, 'fr')).toBe('18\u00a0h')
    expect(timeOfDay(later, 'fr')).toBe('9\u00a0h\u00a005')
    expect(timeOfDay(six, 'en')).toMatch(/^6:00\sPM$/)
  })

  it('is the site’s, also on the day on which its clocks change', () => {
    const at = new Date('2026-10-25T01:05:00.000Z')
    expect(timeOfDay(at, 'fr', 'Europe/Paris')).toBe('2\u00a0h\u00a005')
    expect(timeOfDay(at, 'fr', 'America/Martinique')).toBe('21\u00a0h\u00a005')
    expect(timeOfDay(new Date('2026-11-26T23:00:00.000Z'), 'fr', 'Europe/Paris')).toBe('0\u00a0h')
    expect(timeOfDay(at, 'en', 'Indian/Reunion')).toMatch(/^5:05\sAM$/)
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
