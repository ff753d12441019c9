const NARROW = '\u202f'
const FIXED = '\u00a0'

/**
 * Adds French typography to a text that is written with plain spaces: narrow no-break spaces before `; ! ?` and
 * inside guillemets, no-break spaces before `:` and units, typographic apostrophes and ellipses.
 */
export function typesetFrench(text: string): string {
  return text
    .replace(/ ([;!?»])/g, `${NARROW}$1`)
    .replace(/« /g, `«${NARROW}`)
    .replace(/ :/g, `${FIXED}:`)
    .replace(/([\d}]) (min|h|s|%|°C)(?![\p{L}\d'’])/gu, `$1${FIXED}$2`)
    .replace(/'/g, '’')
    .replace(/\.\.\./g, '…')
}

/** A table of messages: texts, or tables of texts. */
export interface MessageTable {
  [key: string]: string | MessageTable
}

/** The same table with French typography in every text. */
export function typesetTable<T extends MessageTable>(table: T): T {
  return Object.fromEntries(
    Object.entries(table).map(([key, value]) => [
      key,
      typeof value === 'string' ? typesetFrench(value) : typesetTable(value),
    ]),
  ) as T
}
