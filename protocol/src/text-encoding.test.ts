import { expect, it } from 'vitest'
import { encodingOf } from './text-encoding.ts'

const TEXT = 'ESCALE_HOST=été'
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16()

it.each([
  ['UTF-8', Buffer.from(TEXT)],
  ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${TEXT}`)],
  ['UTF-16 of Notepad', Buffer.from(`\uFEFF${TEXT}`, 'utf16le')],
  ['UTF-16 without a mark', Buffer.from(TEXT, 'utf16le')],
  ['UTF-16, big end first', utf16be(`\uFEFF${TEXT}`)],
  ['UTF-16, big end first, without a mark', utf16be(TEXT)],
])('a text in %s is decoded', (_, bytes) => {
  expect(new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes)).toBe(TEXT)
})

it('an empty text is UTF-8', () => {
  expect(encodingOf(new Uint8Array())).toBe('utf-8')
})
