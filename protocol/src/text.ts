import { Type } from 'typebox'
import { Set as setFormat } from 'typebox/format'
import type { Bilingual } from './errors.ts'

/**
 * Invisible characters that change how other text is shown or what a terminal does: control characters, direction
 * marks, zero-width spaces, fillers, line separators, lone surrogates, and the replacement character.
 */
const INVISIBLE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\u115f\u1160\u2800\u3164\uffa0\ufffd]|\u034f|\u17b4|\u17b5/u

/** Joiners are needed in these scripts and in composed emoji; between other letters they are only invisible. */
const JOINED =
  /([\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Extended_Pictographic}\p{Emoji_Modifier}]|\ufe0f)[\u200c\u200d]/gu

/** A combining mark needs a character to stand on. */
const LONE_MARK = /(^|\s)\p{M}/u

/** Whether a text is on one line and has no invisible characters. */
const isLine = (text: string) => !INVISIBLE.test(text.replace(JOINED, '$1')) && !LONE_MARK.test(text)

/** The same with line feeds and tabs. */
const isLines = (text: string) => isLine(text.replace(/\r\n|[\n\t]/g, ' '))

/** A line of text that is safe to print: invisible characters are shown as `\u{…}`. */
export function printable(text: string): string {
  return text.replace(
    new RegExp(INVISIBLE, 'gu'),
    (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

/** Invisible characters that address books put around a number: direction marks and joiners. */
const AROUND_NUMBERS = /[\u00ad\u200b-\u200f\u202a\u202c\u2060\u2066-\u2069\ufeff]/g

/**
 * A telephone number as it is stored, with plain digits, blanks and hyphens instead of their typographic forms.
 * Undefined when the text is no telephone number.
 */
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

const onOneLine: Bilingual = {
  fr: 'Écrivez ce texte sur une seule ligne, sans caractère invisible ni de commande\u202f; s’il a été collé, retapez-le.',
  en: 'Write this text on one line, without invisible or control characters; if it was pasted, type it again.',
}

/** Escale's own string formats, and the message when a text does not fit. */
const formats = {
  line: {
    check: (text: string) => isLine(text) && text.trim() !== '',
    message: {
      fr: 'Écrivez au moins un caractère visible, sur une seule ligne, sans caractère invisible ni de commande\u202f; si le texte a été collé, retapez-le.',
      en: 'Write at least one visible character, on one line, without invisible or control characters; if the text was pasted, type it again.',
    },
  },
  'line-or-nothing': { check: isLine, message: onOneLine },
  lines: {
    check: isLines,
    message: {
      fr: 'Écrivez ce texte sans caractère invisible ni de commande\u202f; s’il a été collé, retapez-le.',
      en: 'Write this text without invisible or control characters; if it was pasted, type it again.',
    },
  },
  'some-lines': {
    check: (text: string) => isLines(text) && text.trim() !== '',
    message: {
      fr: 'Écrivez au moins un caractère visible, sans caractère invisible ni de commande\u202f; si le texte a été collé, retapez-le.',
      en: 'Write at least one visible character, without invisible or control characters; if the text was pasted, type it again.',
    },
  },
  phone: {
    check: (text: string) => normalisePhone(text) !== undefined,
    message: {
      fr: 'Écrivez un numéro de téléphone\u00a0: des chiffres, des espaces, et + ( ) . - s’il le faut.',
      en: 'Write a telephone number: digits, blanks, and + ( ) . - where needed.',
    },
  },
} satisfies Record<string, { check(text: string): boolean; message: Bilingual }>

export type TextFormat = keyof typeof formats

/** The formats that JSON Schema does not have: every validator of our schemas must know them. */
export const textFormats: Readonly<Record<TextFormat, { check(text: string): boolean; message: Bilingual }>> =
  formats

// For TypeBox, everything fits an unknown format: so ours are registered before any schema uses them.
for (const [name, { check }] of Object.entries(textFormats)) setFormat(name, check)

/** One line of text, with at least one visible character. */
export const line = (maxLength: number, options: { default?: string } = {}) =>
  Type.String({ minLength: 1, maxLength, format: 'line', ...options })

/** The same, or empty. */
export const lineOrNothing = (maxLength: number) => Type.String({ maxLength, format: 'line-or-nothing' })

/** Text of several lines, with at least one visible character. */
export const lines = (maxLength: number) => Type.String({ minLength: 1, maxLength, format: 'some-lines' })

/** The same, or empty. */
export const linesOrNothing = (maxLength: number, options: { default?: string } = {}) =>
  Type.String({ maxLength, format: 'lines', ...options })
