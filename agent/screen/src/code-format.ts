import { ACCESS_CODE_LENGTH, formatAccessCode, normaliseAccessCode } from '@escale/protocol/access-code'

const GROUP = 4

/** What counts of a text, in the letters that a code can have. */
export const significant = (text: string) => normaliseAccessCode(text).replace(/[^A-Z0-9]/g, '')

/** What is typed as it is shown: upper case, `XXXX-XXXX`; spaces, dashes and what is too much are ignored. */
export function formatTyped(typed: string): string {
  const code = significant(typed).slice(0, ACCESS_CODE_LENGTH)
  return code.length > GROUP ? formatAccessCode(code) : code
}

/** Where the caret belongs in the formatted text, so that a correction in the middle stays in the middle. */
export function caretAfterFormat(typed: string, caret: number): number {
  const before = Math.min(ACCESS_CODE_LENGTH, significant(typed.slice(0, caret)).length)
  return before > GROUP ? before + 1 : before
}

export const isWhole = (text: string) => significant(text).length >= ACCESS_CODE_LENGTH
