import { normalisePhone } from '@escale/protocol'

/** Letters that are not an ASCII letter with a mark, and how people type them on a keyboard without them. */
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
}

/** Characters used as an apostrophe. Replaced before the decomposition, which turns some of them into a space. */
const APOSTROPHES = /[’‘‛ʼʻʹʽ′´`＇]/g
/** All dashes that keyboards, telephones and word processors write. */
const HYPHENS = /[\p{Pd}\u2212\u2043]/gu

/** Text as a search compares it: `Hélène` is `helene`, `L’Œuvre` is `l'oeuvre`, `Jean‑Paul` is `jean-paul`. */
export function foldText(text: string): string {
  return text
    .replace(APOSTROPHES, "'")
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}]/gu, '')
    .replace(HYPHENS, '-')
    .toLowerCase()
    .replace(/[œæßøðđłþı]/g, (letter) => SPELLINGS[letter] ?? letter)
}

/** The text that is searched, one field on each line. Rows sorted by it are in the order of a phone book. */
export function searchTextOf(fields: readonly (string | null)[]): string {
  return foldText(fields.map((field) => field ?? '').join('\n'))
}

/** A typed search, split into what must be found. */
export interface SearchTerms {
  /** Folded words that must all be found: `dupont marie` finds Marie Dupont, `jean-paul` also finds Jean Paul. */
  words: string[]
  /** The digits, if the whole search may be a telephone number. */
  phone?: string
}

export function searchTermsOf(search: string): SearchTerms {
  const folded = foldText(search).trim()
  const parts = folded.split(/[\s'-]+/).filter(Boolean)
  const phone = phoneOf(folded)
  return {
    words: parts.length > 0 || folded === '' ? parts : [folded],
    ...(phone !== undefined && phone.digits.length >= 4 ? { phone: phone.digits } : {}),
  }
}

/**
 * The digits of a telephone number, as it is dialled within its country and from abroad. `06 12 34 56 78` and
 * `+33 6 12 34 56 78` have the first form in common. Stored in the search text. Empty if the text is not a number.
 */
export function phoneDigitsOf(phone: string): string[] {
  const found = phoneOf(phone)
  if (!found) return []
  return found.abroad === undefined ? [found.digits] : [`0${found.digits}`, found.abroad]
}

/** For an international number, `digits` are those after the country code, without the trunk prefix 0. */
function phoneOf(text: string): { digits: string; abroad?: string } | undefined {
  const plain = normalisePhone(text)
  if (plain === undefined) return undefined
  const international = /^(?:\+|00)(.*)$/.exec(plain)?.[1]?.replace('(0)', '').replace(/\D/g, '')
  if (international === undefined) return { digits: plain.replace(/\D/g, '') }
  const national = international.slice(countryCodeLength(international)).replace(/^0+/, '')
  return { digits: national, abroad: international }
}

/** Country codes of one and of two digits; all others have three. Source: ITU-T E.164, list of assigned codes. */
const SHORT_CODES = /^[17]/
const MIDDLE_CODES = /^(?:2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/

function countryCodeLength(digits: string): number {
  if (SHORT_CODES.test(digits)) return 1
  return MIDDLE_CODES.test(digits) ? 2 : 3
}
