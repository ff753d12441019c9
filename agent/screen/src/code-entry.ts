import { ACCESS_CODE_LENGTH } from '@escale/protocol/access-code'

/** Longest time between two keys of a barcode scanner. A person types more slowly. */
const SCAN_GAP_MS = 100
const GROUP = 4

/**
 * What a key means for a code: `typed` is a letter or digit of the layout. `hidden` is a digit key that types another
 * character (AZERTY without Shift). `dash` is a digit key that types a dash, so that either may be meant.
 */
export type KeyMeaning =
  { kind: 'typed'; char: string } | { kind: 'hidden'; char: string } | { kind: 'dash'; char: string }

export interface Key {
  key: string
  /** The physical key, independent of the layout. */
  code: string
  hasModifier: boolean
}

/** Undefined for a key that adds nothing to a code. */
export function meaningOf({ key, code, hasModifier }: Key): KeyMeaning | undefined {
  if (hasModifier) return undefined
  if (/^[a-z0-9]$/i.test(key)) return { kind: 'typed', char: key.toUpperCase() }
  const digit = /^Digit(\d)$/.exec(code)?.[1]
  if (digit === undefined || (key.length > 1 && key !== 'Dead')) return undefined
  return { kind: /[\p{Pd}_]/u.test(key) ? 'dash' : 'hidden', char: digit }
}

/** The letters and digits, and the digits that were perhaps meant by dashes between the two groups. */
export interface Typed {
  code: string
  dashes: string
}

export const nothingTyped: Typed = { code: '', dashes: '' }

/** Adds a key. A dash between the two groups counts as a dash until a digit is missing; elsewhere it is the digit. */
export function typeInto({ code, dashes }: Typed, { kind, char }: KeyMeaning): Typed {
  return kind === 'dash' && code.length === GROUP
    ? { code, dashes: dashes + char }
    : { code: code + char, dashes }
}

/** The last complete code; undefined while it is incomplete. */
export function wholeCode({ code, dashes }: Typed): string | undefined {
  const missing = ACCESS_CODE_LENGTH - code.length
  if (missing <= 0) return code.slice(-ACCESS_CODE_LENGTH)
  if (dashes.length < missing) return undefined
  return code.slice(0, GROUP) + dashes.slice(-missing) + code.slice(GROUP)
}

/** Recognises a barcode scanner by the speed of its keys. Earlier text in the field is not part of the scan. */
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
    /** The last scanned code, if nothing else was entered since. */
    code: () => wholeCode(typed),
    forget: () => {
      typed = nothingTyped
    },
  }
}
