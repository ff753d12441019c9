import { describe, expect, it } from 'vitest'
import { foldText, phoneDigitsOf, searchTermsOf, searchTextOf } from './search-text.ts'

describe('text normalised for searches', () => {
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
    ['Jean‑Paul', 'jean-paul'],
    ['Jean–Paul', 'jean-paul'],
    ['Jean\u2212Paul', 'jean-paul'],
    ['Jean\u2010Paul', 'jean-paul'],
    ['Jean\u00adPaul', 'jeanpaul'],
    ['L‘Haÿ', "l'hay"],
    ['O´Brien', "o'brien"],
    ['Dʼ Angelo', "d' angelo"],
    ['Ｍａｒｉｅ', 'marie'],
    ['ﬁn', 'fin'],
    ['a\u202fb\u00a0c', 'a b c'],
  ])('%s becomes %s', (text, folded) => {
    expect(foldText(text)).toBe(folded)
  })

  it('is sorted as in a phone book', () => {
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

describe('a telephone number in a search', () => {
  const finds = (typed: string, kept: string) => {
    const { words, phone } = searchTermsOf(typed)
    const text = [foldText(kept), ...phoneDigitsOf(kept)].join('\n')
    return (phone !== undefined && text.includes(phone)) || words.every((word) => text.includes(word))
  }

  it.each([
    ['0612345678', '06 12 34 56 78'],
    ['0612345678', '+33 6 12 34 56 78'],
    ['0612345678', '+33 (0)6.12.34.56.78'],
    ['0612345678', '0033612345678'],
    ['06 12 34 56 78', '+33612345678'],
    ['06\u00a012\u202f34', '+33 6 12 34 56 78'],
    ['06.12-34', '0612345678'],
    ['+33 6 12 34 56 78', '06 12 34 56 78'],
    ['+33612345678', '06.12.34.56.78'],
    ['33612345678', '+33 6 12 34 56 78'],
    ['0696 12 34 56', '+596 696 12 34 56'],
    ['5678', '06 12 34 56 78'],
    ['612 345 678', '+34 612 345 678'],
    ['+34612345678', '612 345 678'],
  ])('%s finds %s', (typed, kept) => {
    expect(finds(typed, kept)).toBe(true)
  })

  it.each([
    ['0612345679', '06 12 34 56 78'],
    ['+33712345678', '06 12 34 56 78'],
  ])('%s does not find %s', (typed, kept) => {
    expect(finds(typed, kept)).toBe(false)
  })
})

describe('the words of a search', () => {
  it('are separated by spaces, hyphens and apostrophes of any kind', () => {
    expect(searchTermsOf('  Jean‑Paul d’Arc ').words).toEqual(['jean', 'paul', 'd', 'arc'])
    expect(searchTermsOf(' ').words).toEqual([])
    expect(searchTermsOf('-').words).toEqual(['-'])
  })
})
