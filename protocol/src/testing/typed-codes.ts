const chars = (code: string) => Array.from(code.replace('-', ''))
const shifted = (code: string, from: number, to: number, by: number) =>
  chars(code)
    .map((char) => {
      const point = char.codePointAt(0) ?? 0
      return point >= from && point <= to ? String.fromCodePoint(point + by) : char
    })
    .join('')
const between = (mark: string) => (code: string) => chars(code).join(mark)

/**
 * The forms in which people enter a correct code; tests use all of them wherever a code is accepted.
 * Each takes the code as it is shown, `XXXX-XXXX`.
 */
export const typedForms: readonly (readonly [form: string, typed: (code: string) => string])[] = [
  ['as shown', (code) => code],
  ['without its dash', (code) => code.replace('-', '')],
  ['in lower case', (code) => code.toLowerCase()],
  ['between blanks and line ends', (code) => ` \t${code}\r\n`],
  ['with spaces', between(' ')],
  ['with no-break spaces', between('\u00a0')],
  ['with narrow no-break spaces', between('\u202f')],
  ['with ideographic spaces', between('\u3000')],
  ['with zero-width spaces', between('\u200b')],
  ['with zero-width joiners', between('\u200d')],
  ['with word joiners', between('\u2060')],
  ['with soft hyphens', between('\u00ad')],
  ['after a byte order mark', (code) => `\ufeff${code}`],
  ['between right-to-left marks', (code) => `\u200f\u202e${code}\u202c\u200f`],
  ['isolated from its direction', (code) => `\u2067${code}\u2069`],
  ['with an en dash', (code) => code.replace('-', '–')],
  ['with an em dash', (code) => code.replace('-', ' — ')],
  ['with a non-breaking hyphen', (code) => code.replace('-', '\u2011')],
  ['with a minus sign', (code) => code.replace('-', '\u2212')],
  ['with an underscore', (code) => code.replace('-', '_')],
  ['with full stops and slashes', (code) => code.replace('-', './')],
  ['in typographic quotes', (code) => `« ${code} ».`],
  ['with variation selectors', between('\ufe0f')],
  ['in full-width letters', (code) => shifted(shifted(code, 0x41, 0x5a, 0xfee0), 0x32, 0x39, 0xfee0)],
  ['in bold letters', (code) => shifted(shifted(code, 0x41, 0x5a, 0x1d3bf), 0x32, 0x39, 0x1d79e)],
  ['in circled letters', (code) => shifted(code, 0x41, 0x5a, 0x2475)],
]
