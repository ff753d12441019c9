/** Signs with which a spreadsheet takes a cell for a formula, as it, a browser or another alphabet may write them. */
const CALCULATES = /^[\s\p{C}\ufffd"'`‘’“”]*[=+\-@＝＋－＠﹢﹣﹦﹫−]/u
/** Some importers drop these first, and look at what follows. */
const BEGINS_UNSEEN = /^[\t\r\n\p{Cc}]/u

const MONTHS = [
  'janv?(?:ier|uary)?|f[eé]vr?(?:ier)?|feb(?:ruary)?|mar(?:s|ch)?|avr(?:il)?|apr(?:il)?|mai|may|juin|june?|juil(?:let)?',
  'july?|ao[uû]t|aug(?:ust)?|sept?(?:embre|ember)?|oct(?:obre|ober)?|nov(?:embre|ember)?|d[eé]c(?:embre|ember)?',
].join('|')
/** Dates, times, powers of ten, numbers that lose digits, and truths, as spreadsheets set to French or English guess them from a text. */
const READ_OTHERWISE = [
  /^\s*\d{1,4}(?:\s*[-/.:]\s*\d{1,4}){1,3}\s*$/u,
  new RegExp(`^\\s*\\d{1,2}(?:er)?[\\s./-]*(?:${MONTHS})\\.?[\\s./-]*\\d{0,4}\\s*$`, 'iu'),
  new RegExp(`^\\s*(?:${MONTHS})\\.?[\\s./-]*\\d{1,4}(?:,\\s*\\d{2,4})?\\s*$`, 'iu'),
  /^\s*\d+(?:[.,]\d+)?e[+-]?\d+\s*$/iu,
  /^\s*\d{1,2}(?:[:.]\d{2}){0,2}\s*[ap]\.?m\.?\s*$/iu,
  /^\s*(?:0\d{2,}|\d{16,})\s*$/u,
  /^\s*(?:true|false|vrai|faux)\s*$/iu,
]
/** A day or a month as ISO writes it is meant as one. */
const ISO_DAY = /^\d{4}-\d{2}(?:-\d{2})?$/

/** A text as a cell of CSV that is shown as it is, in Excel and in LibreOffice: neither calculated nor read as a date. */
export function asCsvText(text: string): string {
  const clean = asCellText(text)
  const isOtherwise = !ISO_DAY.test(clean) && READ_OTHERWISE.some((guess) => guess.test(clean))
  return CALCULATES.test(clean) || BEGINS_UNSEEN.test(clean) || isOtherwise ? `'${clean}` : clean
}

/** Without the characters that no workbook may hold. Source: XML 1.0, section 2.2 */
export function asCellText(text: string): string {
  return text.replace(/[\p{Cs}\ufffe\uffff]|(?![\t\n\r])\p{Cc}/gu, '\ufffd')
}
