/** How texts were folded in migrations 3 and 8. These are copies, because the search of today may change. */

/** Letters that are not ASCII letters with an accent, and how people type them on other keyboards. */
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

/** Characters used as an apostrophe. Replaced before decomposition, which turns some of them into a space. */
const APOSTROPHES = /[’‘‛ʼʻʹʽ′´`＇]/g
/** The hyphens and dashes of keyboards, telephones and word processors. */
const HYPHENS = /[\p{Pd}\u2212\u2043]/gu

/** Text in the form that a search compares: `Hélène` is `helene`, `L’Œuvre` is `l'oeuvre`, `Jean‑Paul` is `jean-paul`. */
export function foldText(text: string): string {
  return text
    .replace(APOSTROPHES, "'")
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}]/gu, '')
    .replace(HYPHENS, '-')
    .toLowerCase()
    .replace(/[œæßøðđłþı]/g, (letter) => SPELLINGS[letter] ?? letter)
}

/** The search text of a user, as it was then. */
export function userSearchTextOf(user: {
  lastName: string
  firstName: string
  email: string | null
  phone: string | null
  municipality: string | null
}): string {
  const { lastName, firstName, email, phone, municipality } = user
  const digits = phone === null ? [] : phoneDigitsOf(phone)
  const fields = [lastName, firstName, email, phone, municipality, ...digits]
  return foldText(fields.map((field) => field ?? '').join('\n'))
}

/** Invisible characters that address books put around a number: marks of direction, and joiners. */
const AROUND_NUMBERS = /[\u00ad\u200b-\u200f\u202a\u202c\u2060\u2066-\u2069\ufeff]/g

export function normalisePhone(text: string): string | undefined {
  const plain = text
    .normalize('NFKC')
    .replace(AROUND_NUMBERS, '')
    .replace(/[\p{Pd}\u2212]/gu, '-')
    .replace(/[\p{Zs}\t]+/gu, ' ')
    .trim()
  const digits = plain.replace(/\D/g, '').length
  return /^[+0-9 ().-]{3,30}$/.test(plain) && digits >= 3 ? plain : undefined
}

/**
 * The digits of a telephone number as it is dialled within its country and from abroad: `06 12 34 56 78` and
 * `+33 6 12 34 56 78` share the first. They are part of the search text. Empty if the text is not a number.
 */
function phoneDigitsOf(phone: string): string[] {
  const found = phoneOf(phone)
  if (!found) return []
  return found.abroad === undefined ? [found.digits] : [`0${found.digits}`, found.abroad]
}

/** The digits of an international number are those after the country code, without the 0 in front. */
function phoneOf(text: string): { digits: string; abroad?: string } | undefined {
  const plain = normalisePhone(text)
  if (plain === undefined) return undefined
  const international = /^(?:\+|00)(.*)$/.exec(plain)?.[1]?.replace('(0)', '').replace(/\D/g, '')
  if (international === undefined) return { digits: plain.replace(/\D/g, '') }
  const national = international.slice(countryCodeLength(international)).replace(/^0+/, '')
  return { digits: national, abroad: international }
}

/** Countries with codes of one and of two digits; all others have three. Source: ITU-T E.164, list of assigned codes. */
const SHORT_CODES = /^[17]/
const MIDDLE_CODES = /^(?:2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/

function countryCodeLength(digits: string): number {
  if (SHORT_CODES.test(digits)) return 1
  return MIDDLE_CODES.test(digits) ? 2 : 3
}
