import type { SessionRecord } from './session-record.ts'
import { foldText, phoneDigitsOf } from './search-text.ts'

/** The data by which a text can name a person. */
export interface Person {
  id: string
  firstName: string
  lastName: string
  email: string | null
  phone: string | null
  birthDate: string | null
}

/** How to find folded texts that name a person. */
export interface PersonSearch {
  /** Every text that names the person contains one of these. A text that contains one may still not name the person. */
  candidates: string[]
  /** @param text folded by `textsIn` or `foldText` */
  isNamedIn(text: string): boolean
}

/** When somebody sat at a station, and a while after: texts about it may be about them. Unix milliseconds. */
export interface Visit {
  stationId: string
  fromMs: number
  toMs: number
}

/** A person whose traces are searched. */
export interface Visitor {
  userId: string
  search: PersonSearch
  sessionIds: string[]
  visits: Visit[]
}

/** A text about a station may be about the visitor who sat there, up to this long after the session. */
const AFTERWARDS_MS = 10 * 60_000

export const visitsOf = (sessions: readonly SessionRecord[], nowMs: number): Visit[] =>
  sessions.flatMap(({ stationId, startedAtMs, endedAtMs = nowMs }) =>
    stationId === undefined || startedAtMs === undefined
      ? []
      : [{ stationId, fromMs: startedAtMs, toMs: endedAtMs + AFTERWARDS_MS }],
  )

/** A name of two letters is also a word in many languages. Alone it counts only after a title, as in « M. Le ». */
const SHORT_NAME = 2
const TITLES = '(?:m|mr|mme|mlle|monsieur|madame|mademoiselle|mrs|ms|miss)\\.?'
const BETWEEN = `[\\s'-]+`

/**
 * A text names a person by the last name alone, by first and last name in either order, or by e-mail address,
 * telephone number, birth date or id. The first name alone counts only if no other user has it.
 */
export function searchOf(
  person: Person,
  { isFirstNameUnique }: { isFirstNameUnique: boolean },
): PersonSearch {
  const [first, last] = [wordsOf(person.firstName), wordsOf(person.lastName)]
  const isFirstEnough = isFirstNameUnique && first.join('').length > SHORT_NAME
  const isLastEnough = last.join('').length > SHORT_NAME
  const names = [
    [...first, ...last],
    [...last, ...first],
    ...(isLastEnough ? [last] : []),
    ...(isFirstEnough ? [first] : []),
  ].map((words) => words.map(escape).join(BETWEEN))
  if (!isLastEnough && last.length > 0) names.push(`${TITLES}\\s*${last.map(escape).join(BETWEEN)}`)
  const named = new RegExp(`(?<![\\p{L}\\p{N}])(?:${names.join('|')})(?![\\p{L}\\p{N}])`, 'u')
  const parts = [
    person.id,
    ...(person.email === null ? [] : [foldText(person.email)]),
    ...(person.phone === null ? [] : [foldText(person.phone), ...phoneDigitsOf(person.phone)]),
    ...(person.birthDate === null ? [] : datesAsWritten(person.birthDate)),
  ]
  return {
    candidates: [longest(last), ...(isFirstEnough ? [longest(first)] : []), ...parts].filter(Boolean),
    isNamedIn: (text) =>
      (first.length + last.length > 0 && named.test(text)) || parts.some((part) => text.includes(part)),
  }
}

const wordsOf = (name: string) =>
  foldText(name)
    .split(/[\s'-]+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
const escape = (word: string) => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
const longest = (words: string[]) =>
  words.reduce((found, word) => (word.length > found.length ? word : found), '')

function datesAsWritten(date: string): string[] {
  const [year = '', month = '', day = ''] = date.split('-')
  return [date, `${day}/${month}/${year}`, `${day}.${month}.${year}`, `${day}-${month}-${year}`]
}
