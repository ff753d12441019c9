import { createContext, runInContext } from 'node:vm'
import * as protocol from '@escale/protocol'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { describe, expect, it } from 'vitest'

/** Every pattern and format in the schemas of the protocol, at any depth. */
function textsOf(key: 'pattern' | 'format'): string[] {
  const found = new Set<string>()
  const seen = new Set<object>()
  const look = (value: unknown) => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    for (const [name, part] of Object.entries(value)) {
      if (name === key && typeof part === 'string' && 'type' in value) found.add(part)
      look(part)
    }
  }
  look({ ...protocol })
  return [...found]
}

/** Texts of the largest size that make a bad pattern backtrack. */
const LENGTH = 64 * 1_024
const parts = [
  'a',
  '0',
  ' ',
  '-',
  '.',
  '@',
  'a@',
  'a.',
  'a-',
  '0-',
  ':',
  '+',
  '\n',
  '\u00a0',
  '\u202f',
  'é',
  '😀',
  '1:0',
  '2026-01-01T',
]
const hardTexts = parts.flatMap((part) => {
  const long = part.repeat(LENGTH / part.length)
  return [long, `${long}!`, `!${long}`, `a@${long}`, `2026-01-01T00:00:00.${long}`]
})

/** A backtracking pattern would need hours: it is stopped, and the test fails. */
const STOPPED_AFTER_MS = 5_000
const matchAll = (pattern: RegExp) =>
  runInContext('for (const text of hardTexts) pattern.test(text)', createContext({ pattern, hardTexts }), {
    timeout: STOPPED_AFTER_MS,
  }) as unknown

describe('a text of the largest permitted size', () => {
  it.each(textsOf('pattern'))('is checked by the pattern %s in linear time', (pattern) => {
    // As Ajv compiles it.
    expect(() => matchAll(new RegExp(pattern, 'u'))).not.toThrow()
  })

  it.each(textsOf('format'))('is checked by the format %s in linear time', (name) => {
    const own = Object.entries(protocol.textFormats).find(([known]) => known === name)?.[1].check
    const format = own ?? fullFormats[name as keyof typeof fullFormats]
    const check = typeof format === 'object' && 'validate' in format ? format.validate : format
    const test =
      check instanceof RegExp ? (text: string) => check.test(text) : (check as (text: string) => boolean)
    const run = () =>
      runInContext('for (const text of hardTexts) test(text)', createContext({ test, hardTexts }), {
        timeout: STOPPED_AFTER_MS,
      }) as unknown
    expect(run).not.toThrow()
  })

  it('is checked by every pattern of the protocol', () => {
    expect(textsOf('pattern').length).toBeGreaterThan(5)
    expect(textsOf('format')).toEqual(expect.arrayContaining(['date', 'date-time', 'email']))
  })
})
