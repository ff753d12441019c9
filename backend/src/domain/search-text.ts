/** Letters that are not an ASCII letter with a mark, as people type them who have none of these on their keyboard. */
const SPELLINGS: Record<string, string> = {
  œ: 'oe',
  æ: 'ae',
  ß: 'ss',
  ø: 'o',
  ð: 'd',
  đ: 'd',
  ł: 'l',
  þ: 'th',
  ı: 'i',
  '’': "'",
}

/** Text as a search compares it: `Hélène` is `helene`, `L’Œuvre` is `l'oeuvre`. */
export function foldText(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[œæßøðđłþı’]/g, (letter) => SPELLINGS[letter] ?? letter)
}

/** What a search looks in, one field to a line: sorted by it, rows stand in the order of a phone book. */
export function searchTextOf(fields: readonly (string | null)[]): string {
  return foldText(fields.map((field) => field ?? '').join('\n'))
}
