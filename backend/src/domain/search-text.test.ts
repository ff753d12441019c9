import { describe, expect, it } from 'vitest'
import { foldText, searchTextOf } from './search-text.ts'

describe('text as a search compares it', () => {
  it.each([
    ['Hélène', 'helene'],
    ['HÉLÈNE', 'helene'],
    ['He\u0301le\u0300ne', 'helene'],
    ['L’Œuvre', "l'oeuvre"],
    ['Ørsted', 'orsted'],
    ['Łódź', 'lodz'],
    ['Straße', 'strasse'],
    ['İstanbul ığdır', 'istanbul igdir'],
    ['Nguyễn', 'nguyen'],
  ])('%s is %s', (text, folded) => {
    expect(foldText(text)).toBe(folded)
  })

  it('stands in the order of a phone book', () => {
    const people = [
      ['Zola', 'Émile'],
      ['Éluard', 'Paul'],
      ['Martin Dupont', 'Ali'],
      ['Martin', 'Zoé'],
      ['eluard', 'Nusch'],
    ]
    const sorted = people.map((names) => searchTextOf(names)).sort()
    expect(sorted).toEqual([
      'eluard\nnusch',
      'eluard\npaul',
      'martin\nzoe',
      'martin dupont\nali',
      'zola\nemile',
    ])
  })
})
