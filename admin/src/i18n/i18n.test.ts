import { logActions, stationStates } from '@escale/protocol'
import { describe, expect, it } from 'vitest'
import { en } from './en.ts'
import { fr } from './fr.ts'
import { typesetFrench, typesetTable, type MessageTable } from './typeset.ts'

type Entry = [key: string, text: string]

const entriesOf = (table: MessageTable, prefix = ''): Entry[] =>
  Object.entries(table).flatMap(([key, value]): Entry[] =>
    typeof value === 'string' ? [[prefix + key, value]] : entriesOf(value, `${prefix}${key}.`),
  )

const french = entriesOf(typesetTable(fr))
const english = entriesOf(en)
const parametersOf = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()

/** Each mistake of French typography, as a pattern that no text may contain. */
const faults: [name: string, pattern: RegExp][] = [
  ['a plain space where a no-break one belongs', / [;:!?»]|« |[\d}] (?:min|h|s|%|°C)(?![\p{L}\d’])/u],
  ['no space before a double sign', /[^\u202f\s;!?(][;!?](?:\s|$)|[^\u00a0\s]:(?:\s|$)/],
  ['guillemets without a narrow space', /«[^\u202f]|[^\u202f]»/],
  ['a straight apostrophe or quote', /['"]/],
  ['three dots', /\.\.\./],
  ['a capital without its accent', /\b(?:A|Etat|Ecran|Evenement|Electr|Ete|Edit|Eteindre)\b/],
]

describe('the languages', () => {
  it('have the same keys', () => {
    expect(english.map(([key]) => key)).toEqual(french.map(([key]) => key))
  })

  it('name every action of the journal and every state of a station', () => {
    expect(Object.keys(fr.actions).sort()).toEqual([...logActions].sort())
    expect(Object.keys(fr.status)).toEqual(expect.arrayContaining([...stationStates]))
  })

  it('give each text the same parameters and the same number of plural forms', () => {
    const shapeOf = ([key, text]: Entry) => [key, parametersOf(text), text.split(' | ').length]
    expect(english.map(shapeOf)).toEqual(french.map(shapeOf))
  })
})

describe('the French texts', () => {
  it.each(faults)('never have %s', (_name, pattern) => {
    expect(french.filter(([, text]) => pattern.test(text))).toEqual([])
  })

  it('get their special spaces from plain ones', () => {
    expect(typesetFrench("Vraiment ? L'essai : « 30 min »... {n} s ; 12 sessions, {name} s'en va")).toBe(
      'Vraiment\u202f? L’essai\u00a0: «\u202f30\u00a0min\u202f»… {n}\u00a0s\u202f; 12 sessions, {name} s’en va',
    )
  })
})

describe('the English texts', () => {
  it('have curly apostrophes and no French spacing', () => {
    expect(english.filter(([, text]) => /['"]|\.\.\.|[\s\u202f\u00a0][;:!?]/.test(text))).toEqual([])
  })
})
