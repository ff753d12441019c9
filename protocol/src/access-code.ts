/** Letters and digits that cannot be mistaken for one another, read aloud or on a screen. */
export const ACCESS_CODE_ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789'
export const ACCESS_CODE_LENGTH = 8

const CODE_SHAPE = new RegExp(`^[${ACCESS_CODE_ALPHABET}]{${ACCESS_CODE_LENGTH}}$`)

/**
 * The canonical form of a code as people type, paste and scan it: Unicode's compatible forms become the letters and
 * digits that they stand for (full-width, bold, circled), and nothing but letters and digits counts: no blank, dash,
 * mark, invisible or formatting character. In upper case.
 */
export function normaliseAccessCode(typed: string): string {
  return typed
    .normalize('NFKC')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toUpperCase()
}

/** Whether a typed code has the shape of a code; says nothing of its validity. */
export function isAccessCodeShape(typed: string): boolean {
  return CODE_SHAPE.test(normaliseAccessCode(typed))
}

/** A canonical code as it is shown: `XXXX-XXXX`. */
export function formatAccessCode(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`
}
