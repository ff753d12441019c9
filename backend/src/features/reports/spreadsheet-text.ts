/** Texts that a spreadsheet takes for a formula, with all forms of the signs that formulas begin with. */
const FORMULA = /^[\s\p{C}\ufffd"'`‘’“”]*[=+\-@＝＋－＠﹢﹣﹦﹫−]/u
/** Some importers remove these characters, and then look at what follows. */
const INVISIBLE_START = /^[\t\r\n\p{Cc}]/u

const MONTHS = [
  'janv?(?:ier|uary)?|f[eé]vr?(?:ier)?|feb(?:ruary)?|mar(?:s|ch)?|avr(?:il)?|apr(?:il)?|mai|may|juin|june?|juil(?:let)?',
  'july?|ao[uû]t|aug(?:ust)?|sept?(?:embre|ember)?|oct(?:obre|ober)?|nov(?:embre|ember)?|d[eé]c(?:embre|ember)?',
].join('|')
/** Texts that spreadsheets set to French or English change: dates, times, powers of ten, long numbers, true and false. */
const CHANGED_BY_SPREADSHEETS = [
  /^\s*\d{1,4}(?:\s*[-/.:]\s*\d{1,4}){1,3}\s*$/u,
  new RegExp(`^\\s*\\d{1,2}(?:er)?[\\s./-]*(?:${MONTHS})\\.?[\\s./-]*\\d{0,4}\\s*$`, 'iu'),
  new RegExp(`^\\s*(?:${MONTHS})\\.?[\\s./-]*\\d{1,4}(?:,\\s*\\d{2,4})?\\s*$`, 'iu'),
  /^\s*\d+(?:[.,]\d+)?e[+-]?\d+\s*$/iu,
  /^\s*\d{1,2}(?:[:.]\d{2}){0,2}\s*[ap]\.?m\.?\s*$/iu,
  /^\s*(?:0\d{2,}|\d{16,})\s*$/u,
  /^\s*(?:true|false|vrai|faux)\s*$/iu,
]
/** A day or month in ISO form may become a date: it is one. */
const ISO_DAY = /^\d{4}-\d{2}(?:-\d{2})?$/

/** A text for a CSV cell that Excel and LibreOffice show unchanged: it is neither calculated nor read as a date. */
export function asCsvText(text: string): string {
  const clean = asCellText(text)
  const isChanged = !ISO_DAY.test(clean) && CHANGED_BY_SPREADSHEETS.some((guess) => guess.test(clean))
  return FORMULA.test(clean) || INVISIBLE_START.test(clean) || isChanged ? `'${clean}` : clean
}

/** Replaces the characters that a workbook cannot hold. Source: XML 1.0, section 2.2 */
export function asCellText(text: string): string {
  return text.replace(/[\p{Cs}\ufffe\uffff]|(?![\t\n\r])\p{Cc}/gu, '\ufffd')
}
