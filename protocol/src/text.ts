import { Type } from 'typebox'
import { Set as setFormat } from 'typebox/format'
import type { Bilingual } from './errors.ts'

/**
 * Characters that nobody sees and that change what others see or what a terminal does: controls, marks of direction,
 * blanks without a width, fillers, line separators, halves of characters, and the mark of a decoding that failed.
 */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\u115f\u1160\u2800\u3164\uffa0\ufffd]|\u034f|\u17b4|\u17b5/u

/** Joiners belong to the spelling of these scripts, and to composed emoji; between other letters they only hide. */
const JOINED =
  /([\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Extended_Pictographic}\p{Emoji_Modifier}]|\ufe0f)[\u200c\u200d]/gu

/** A combining mark needs a character to stand on. */
const LONE_MARK = /(^|\s)\p{M}/u

/** Whether a text can be read as it stands, on one line. */
const isLine = (text: string) => !UNSEEN.test(text.replace(JOINED, '$1')) && !LONE_MARK.test(text)

/** The same with line feeds and tabs. */
const isLines = (text: string) => isLine(text.replace(/\r\n|[\n\t]/g, ' '))

/** A text of people on one line as it may be printed anywhere: what nobody would see of it is shown as `\u{…}`. */
export function printable(text: string): string {
  return text.replace(
    new RegExp(UNSEEN, 'gu'),
    (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

/** What address books put around a number, unseen: marks of direction from left to right, and joiners. */
const AROUND_NUMBERS = /[\u00ad\u200b-\u200f\u202a\u202c\u2060\u2066-\u2069\ufeff]/g

/**
 * A telephone number as it is kept: plain digits, blanks and hyphens, whatever blanks and hyphens it was typed or
 * pasted with. Undefined when the text is none.
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

/** What our string formats ask for, as people are told it. */
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

/** The formats beyond those of JSON Schema: whoever validates by our schemas must know them. */
export const textFormats: Readonly<Record<TextFormat, { check(text: string): boolean; message: Bilingual }>> =
  formats

// TypeBox takes an unknown format for one that everything fits: it knows ours before any schema names them.
for (const [name, { check }] of Object.entries(textFormats)) setFormat(name, check)

/** A text of people on one line, with something to see in it. */
export const line = (maxLength: number, options: { default?: string } = {}) =>
  Type.String({ minLength: 1, maxLength, format: 'line', ...options })

/** The same where nothing is an answer too. */
export const lineOrNothing = (maxLength: number) => Type.String({ maxLength, format: 'line-or-nothing' })

/** A text of people on as many lines as it needs, with something to see in it. */
export const lines = (maxLength: number) => Type.String({ minLength: 1, maxLength, format: 'some-lines' })

/** The same where nothing is an answer too. */
export const linesOrNothing = (maxLength: number, options: { default?: string } = {}) =>
  Type.String({ maxLength, format: 'lines', ...options })
