import { searchTextOf, phoneDigitsOf } from './search-text.ts'

/** All texts in a value, folded for a search, and the digits of possible telephone numbers in them. */
export function textsIn(value: unknown): string {
  const texts = stringsIn(value)
  const digits = texts.flatMap((text) => (text.match(PHONES) ?? []).flatMap(phoneDigitsOf))
  return searchTextOf([...texts, ...digits])
}

/** Telephone numbers as people write them inside a text. */
const PHONES = /(?:\+|\b)\d[\d\p{Zs}.()\p{Pd}]{4,28}\d/gu

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number') return [String(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, field]) => [name, ...stringsIn(field)])
}
