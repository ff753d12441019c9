import { ACCESS_CODE_LENGTH, formatAccessCode, normaliseAccessCode } from '@escale/protocol/access-code'

const GROUP = 4

/** The letters and digits of a text, normalised to the alphabet of codes. */
export const significant = (text: string) => normaliseAccessCode(text).replace(/[^A-Z0-9]/g, '')

/** Formats typed text as `XXXX-XXXX` in upper case. Spaces, dashes and surplus characters are ignored. */
export function formatTyped(typed: string): string {
  const code = significant(typed).slice(0, ACCESS_CODE_LENGTH)
  return code.length > GROUP ? formatAccessCode(code) : code
}

/** The caret's position in the formatted text, so that it does not jump when the visitor corrects the middle. */
export function caretAfterFormat(typed: string, caret: number): number {
  const before = Math.min(ACCESS_CODE_LENGTH, significant(typed.slice(0, caret)).length)
  return before > GROUP ? before + 1 : before
}

export const isWhole = (text: string) => significant(text).length >= ACCESS_CODE_LENGTH
