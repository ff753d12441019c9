import type { Language } from '@escale/protocol'
import { asCellText, asCsvText } from './spreadsheet-text.ts'

/** A table as every format writes it. */
export interface Sheet {
  title: string
  header: string[]
  rows: (string | number)[][]
}

/** A document for people: a page to read and print, or a spreadsheet. */
export interface Printout {
  title: string
  /** File name without its extension. */
  name: string
  /** The days that it covers, in words. */
  period: string
  note?: string
  sheets: Sheet[]
}

/** CSV that spreadsheets set to French or English open: a byte order mark, `;` or `,`, and no cell that is a formula. */
export function csvOf({ sheets }: Pick<Printout, 'sheets'>, language: Language): string {
  const separator = language === 'fr' ? ';' : ','
  const cell = (value: string | number) => {
    if (typeof value === 'number') return language === 'fr' ? String(value).replace('.', ',') : String(value)
    const harmless = asCsvText(value)
    return /[";,\t\n\r]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
  }
  const tableOf = ({ title, header, rows }: Sheet) =>
    [...(sheets.length > 1 ? [[title]] : []), header, ...rows]
      .map((row) => `${row.map(cell).join(separator)}\r\n`)
      .join('')
  return `\ufeff${sheets.map(tableOf).join('\r\n')}`
}

export async function xlsxOf({ sheets }: Pick<Printout, 'sheets'>): Promise<Buffer> {
  // Loaded only when a workbook is needed.
  const { default: writeXlsxFile } = await import('write-excel-file/node')
  return writeXlsxFile(
    sheets.map(({ title, header, rows }) => ({
      sheet: title.replace(/[\\/?*[\]:]/g, ' ').slice(0, 31),
      data: [
        header.map((value) => ({ ...cellOf(value), fontWeight: 'bold' as const })),
        ...rows.map((row) => row.map(cellOf)),
      ],
      columns: header.map(() => ({ width: 22 })),
    })),
  ).toBuffer()
}

/** A cell with its type, so that the spreadsheet does not guess one. */
const cellOf = (value: string | number) =>
  typeof value === 'number' ? { type: Number, value } : { type: String, value: asCellText(value) }

/** A page to read, print, or save as PDF, without scripts or styles: a strict content policy would refuse them. */
export function htmlOf({ title, period, note, sheets }: Omit<Printout, 'name'>, language: Language): string {
  const format = new Intl.NumberFormat(language)
  const cell = (value: string | number) =>
    typeof value === 'number'
      ? `<td align="right">${format.format(value)}</td>`
      : `<th scope="row" align="left">${escape(value)}</th>`
  const tableOf = ({
    title: caption,
    header,
    rows,
  }: Sheet) => `${sheets.length > 1 ? `<h2>${escape(caption)}</h2>\n` : ''}<table border="1" cellpadding="6" cellspacing="0">
<thead><tr>${header.map((name) => `<th scope="col">${escape(name)}</th>`).join('')}</tr></thead>
<tbody>
${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')}
</tbody>
</table>`
  return `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><title>${escape(`${title} · ${period}`)}</title></head>
<body>
<h1>${escape(title)}</h1>
<p>${escape(period)}</p>
${sheets.map(tableOf).join('\n')}
${note === undefined ? '' : `<p><small>${escape(note)}</small></p>\n`}</body>
</html>
`
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escape = (text: string) => text.replace(/[&<>"']/g, (letter) => entities[letter] ?? letter)
