import { ACCESS_CODE_LENGTH } from '@escale/protocol/access-code'
import { significant } from './code-format.ts'

/** Longest time between two keys of a barcode scanner. A person types more slowly. */
const SCAN_GAP_MS = 100
const GROUP = 4
/** What the digit keys of a French keyboard type without Shift, from 0 to 9. */
const AZERTY_ROW = 'à&é"\'(-è_ç'

/**
 * What a key means for a code: `typed` is a letter or digit of the layout. `hidden` is a digit key that types another
 * character (AZERTY without Shift). `dash` is a digit key that types a dash, so that either may be meant.
 */
export type KeyMeaning =
  { kind: 'typed'; char: string } | { kind: 'hidden'; char: string } | { kind: 'dash'; char: string }

export interface Key {
  key: string
  /** The physical key, independent of the layout; empty if the keyboard does not tell (on-screen, remote). */
  code: string
  hasModifier: boolean
}

/** Undefined for a key that adds nothing to a code. */
export function meaningOf({ key, code, hasModifier }: Key): KeyMeaning | undefined {
  if (hasModifier) return undefined
  if (/^[a-z0-9]$/i.test(key)) return { kind: 'typed', char: key.toUpperCase() }
  const digit = code === '' ? azertyDigitOf(key) : /^Digit(\d)$/.exec(code)?.[1]
  if (digit === undefined || (key.length > 1 && key !== 'Dead')) return undefined
  return { kind: /[\p{Pd}_]/u.test(key) ? 'dash' : 'hidden', char: digit }
}

/** The digit of the key that types this character on a French keyboard without Shift. Caps Lock may be on. */
function azertyDigitOf(char: string): string | undefined {
  if (char.length !== 1) return undefined
  const digit = AZERTY_ROW.indexOf(char.toLowerCase().replace('’', "'"))
  return digit < 0 ? undefined : String(digit)
}

/** The code in a pasted text. If it is not complete, characters of the French digit row count as their digits. */
export function codeIn(text: string): string {
  const plain = significant(text)
  if (plain.length >= ACCESS_CODE_LENGTH) return plain
  const typed = Array.from(text.normalize('NFC'))
    .map((key) => meaningOf({ key, code: '', hasModifier: false }))
    .reduce<Typed>((before, meaning) => (meaning ? typeInto(before, meaning) : before), nothingTyped)
  return (typed.code.length <= ACCESS_CODE_LENGTH && wholeCode(typed)) || plain
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
