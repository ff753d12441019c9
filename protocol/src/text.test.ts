import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Check } from 'typebox/value'
import { Compile } from 'typebox/compile'
import { Presence } from './mqtt/payloads.ts'
import { stationOps } from './mqtt/requests.ts'
import { StationInput } from './stations.ts'
import { normalisePhone, printable } from './text.ts'
import { commandParams } from './commands.ts'
import { UserInput } from './users.ts'

const user = (change: object) => ({ firstName: 'Zoé', lastName: 'Martin', ...change })

const unseen: [string, string][] = [
  ['a terminal escape', 'Zo\u001b[31mé'],
  ['a bell', 'Zoé\u0007'],
  ['a line feed', 'Zoé\nMartin'],
  ['a carriage return', 'Zoé\rMartin'],
  ['a tab', 'Zoé\tMartin'],
  ['a NUL', 'Zoé\u0000'],
  ['a DEL', 'Zoé\u007f'],
  ['a C1 control', 'Zoé\u009b31m'],
  ['an override of direction', 'Zoé\u202eeoZ'],
  ['an isolate of direction', 'Zoé\u2066eoZ\u2069'],
  ['a mark of direction', 'Zoé\u200f'],
  ['an Arabic letter mark', 'Zoé\u061c'],
  ['a blank of no width', 'Zo\u200bé'],
  ['a joiner between Latin letters', 'Zo\u200dé'],
  ['a word joiner', 'Zo\u2060é'],
  ['a byte order mark', '\ufeffZoé'],
  ['a soft hyphen', 'Zo\u00adé'],
  ['a line separator', 'Zoé\u2028'],
  ['a paragraph separator', 'Zoé\u2029'],
  ['half of a character', 'Zoé\ud800'],
  ['the other half', '\udc00Zoé'],
  ['what a failed decoding leaves', 'Ren\ufffd'],
  ['a character that is none', 'Zoé\uffff'],
  ['an invisible tag', 'Zoé\u{e0041}'],
  ['a Hangul filler', '\u3164'],
  ['a mark that stands on nothing', '\u0301Zoé'],
  ['a mark after a blank', 'Zoé \u0308Martin'],
]

describe('a text of one line', () => {
  it.each(unseen)('is refused with %s', (_name, text) => {
    expect(Check(UserInput, user({ firstName: text }))).toBe(false)
    expect(Compile(UserInput).Check(user({ lastName: text }))).toBe(false)
    expect(Check(StationInput, { id: 'pc-01', label: text })).toBe(false)
    expect(Check(stationOps.call_staff.params, { reason: text })).toBe(false)
  })

  it.each(['', ' ', '\u00a0', '\u202f\u2009 ', '\u3000', '\u2800'])(
    'is refused when it is only %j',
    (text) => {
      expect(Check(UserInput, user({ lastName: text }))).toBe(false)
    },
  )

  it.each([
    'Éléonore',
    'E\u0301le\u0301onore',
    'Nguyễn Thị Minh Khai',
    'L’Haÿ-les-Roses',
    'Müller\u00a0von\u202fder Heide',
    'محمد',
    'می\u200cخواهم',
    'क्\u200dष',
    'Владимир',
    '北京市',
    '葛\u{e0100}城',
    '👨\u200d👩\u200d👧 ☎️',
    "O'Brien-Æsir",
  ])('is accepted unchanged: %s', (text) => {
    expect(Check(UserInput, user({ firstName: text }))).toBe(true)
  })

  it('from a station on the bus has the same limits', () => {
    const presence = {
      online: true,
      cause: 'birth',
      bootId: 'b',
      ...{ agentVersion: '1', hostname: 'pc', os: 'Debian', ipAddress: '', macAddress: '' },
    }
    expect(Check(Presence, presence)).toBe(true)
    expect(Check(Presence, { ...presence, hostname: 'pc\u001b]0;x\u0007' })).toBe(false)
  })
})

describe('a text of several lines that people write', () => {
  it('keeps line feeds and tabs, and no other invisible character', () => {
    expect(Check(UserInput, user({ notes: 'Un\n\tdeux\r\ntrois' }))).toBe(true)
    for (const [name, text] of unseen) {
      const isLayout = ['a line feed', 'a tab'].includes(name)
      expect(Check(UserInput, user({ notes: text })), name).toBe(isLayout)
    }
  })
})

describe('a text of several lines', () => {
  it.each(['\n', ' ', '\u00a0\u2003\t\r\n'])('is empty when nothing in it is visible: %j', (text) => {
    expect(Check(UserInput, user({ notes: text }))).toBe(false)
    expect(Check(commandParams.message, { text })).toBe(false)
  })

  it('may begin and end with spaces', () => {
    expect(Check(UserInput, user({ notes: ' \nA sa carte.\n' }))).toBe(true)
  })
})

describe('a telephone number', () => {
  it.each([
    ['06 12 34 56 78', '06 12 34 56 78'],
    ['06\u00a012\u202f34\u200956\u200778', '06 12 34 56 78'],
    ['06‑12–34—56−78', '06-12-34-56-78'],
    ['+33\u00a0(0)6.12.34.56.78', '+33 (0)6.12.34.56.78'],
    ['０６１２３４５６７８', '0612345678'],
    [' 0612345678 ', '0612345678'],
    ['\u202a0612345678\u202c', '0612345678'],
    ['06\u2060 12\u200b 34\u00ad56\u200e', '06 12 3456'],
  ])('%j is stored as %j', (typed, kept) => {
    expect(normalisePhone(typed)).toBe(kept)
    expect(Check(UserInput, user({ phone: typed }))).toBe(true)
  })

  it.each(['   ', '...', '06\n12', 'zéro six', '06\u202e12345678', '+--12'])(
    '%j is not a telephone number',
    (typed) => {
      expect(Check(UserInput, user({ phone: typed }))).toBe(false)
    },
  )

  it('does not change when the stored form is entered again', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from('0123456789+(). -\u00a0\u202f‑')), maxLength: 30 }),
        (typed) => {
          const kept = normalisePhone(typed)
          if (kept !== undefined) expect(normalisePhone(kept)).toBe(kept)
        },
      ),
    )
  })
})

describe('a text that goes to a terminal', () => {
  it('shows control characters instead of executing them', () => {
    expect(printable('Zoé\u001b[31m\u202e Martin')).toBe('Zoé\\u{1b}[31m\\u{202e} Martin')
  })
})
