const CODE_LENGTH = 8
const GROUP = 4

const significant = (text: string) => text.toUpperCase().replace(/[^A-Z0-9]/g, '')

/** What is typed as it is shown: upper case, `XXXX-XXXX`; spaces, dashes and what is too much are ignored. */
export function formatTyped(typed: string): string {
  const code = significant(typed).slice(0, CODE_LENGTH)
  return code.length > GROUP ? `${code.slice(0, GROUP)}-${code.slice(GROUP)}` : code
}

/** Where the caret belongs in the formatted text, so that a correction in the middle stays in the middle. */
export function caretAfterFormat(typed: string, caret: number): number {
  const before = Math.min(CODE_LENGTH, significant(typed.slice(0, caret)).length)
  return before > GROUP ? before + 1 : before
}

export const isWhole = (formatted: string) => significant(formatted).length === CODE_LENGTH
