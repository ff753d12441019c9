import { searchTextOf, phoneDigitsOf } from './search-text.ts'

/** All that a value says in words, folded as a search compares it, with the digits of what may be telephone numbers. */
export function textsIn(value: unknown): string {
  const said = stringsIn(value)
  const digits = said.flatMap((text) => (text.match(PHONES) ?? []).flatMap(phoneDigitsOf))
  return searchTextOf([...said, ...digits])
}

/** As people write them among words. */
const PHONES = /(?:\+|\b)\d[\d\p{Zs}.()\p{Pd}]{4,28}\d/gu

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number') return [String(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, field]) => [name, ...stringsIn(field)])
}
