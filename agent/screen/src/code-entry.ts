import { ACCESS_CODE_LENGTH } from '@escale/protocol/access-code'

/** No hand types several keys in a row as fast as a scanner does. */
const SCAN_GAP_MS = 100
const GROUP = 4

/**
 * What a key means for a code: a letter or digit that the keyboard types by itself, a digit that its layout hides (the
 * digit row of AZERTY without Shift), or a dash of that row, which may be meant as its digit.
 */
export type KeyMeaning =
  { kind: 'typed'; char: string } | { kind: 'hidden'; char: string } | { kind: 'dash'; char: string }

export interface Key {
  key: string
  /** The place on the keyboard, whatever its layout. */
  code: string
  hasModifier: boolean
}

/** Undefined for what adds nothing to a code. */
export function meaningOf({ key, code, hasModifier }: Key): KeyMeaning | undefined {
  if (hasModifier) return undefined
  if (/^[a-z0-9]$/i.test(key)) return { kind: 'typed', char: key.toUpperCase() }
  const digit = /^Digit(\d)$/.exec(code)?.[1]
  if (digit === undefined || (key.length > 1 && key !== 'Dead')) return undefined
  return { kind: /[\p{Pd}_]/u.test(key) ? 'dash' : 'hidden', char: digit }
}

/** Letters and digits in a row, and the digits that may have been meant by dashes between the two groups. */
export interface Typed {
  code: string
  dashes: string
}

export const nothingTyped: Typed = { code: '', dashes: '' }

/** Where people put the dash of a code it is one, until a digit is missing; elsewhere it is the digit. */
export function typeInto({ code, dashes }: Typed, { kind, char }: KeyMeaning): Typed {
  return kind === 'dash' && code.length === GROUP
    ? { code, dashes: dashes + char }
    : { code: code + char, dashes }
}

/** The whole code typed last; undefined while one is not whole. */
export function wholeCode({ code, dashes }: Typed): string | undefined {
  const missing = ACCESS_CODE_LENGTH - code.length
  if (missing <= 0) return code.slice(-ACCESS_CODE_LENGTH)
  if (dashes.length < missing) return undefined
  return code.slice(0, GROUP) + dashes.slice(-missing) + code.slice(GROUP)
}

/** Follows keys that come as fast as a scanner's: what stood in the field before is no part of them. */
export function createScan() {
  let typed = nothingTyped
  let lastAtMs = -Infinity
  return {
    /** @param atMs when the key was pressed */
    key(meaning: KeyMeaning, atMs: number): Typed {
      typed = typeInto(atMs - lastAtMs > SCAN_GAP_MS ? nothingTyped : typed, meaning)
      lastAtMs = atMs
      return typed
    },
    /** The code scanned last, if nothing was done since. */
    code: () => wholeCode(typed),
    forget: () => {
      typed = nothingTyped
    },
  }
}
