import type { Language, Statistics, StatisticsRow } from '@escale/protocol'

/** A table as every format writes it. */
export interface Sheet {
  title: string
  header: string[]
  rows: (string | number)[][]
}

type Column = Exclude<keyof StatisticsRow, 'key'>
const columns: readonly Column[] = [
  'persons',
  'sessions',
  'startedSessions',
  'usedSeconds',
  'averageWaitSeconds',
  'averageLengthSeconds',
]

const words = {
  fr: {
    by: {
      day: 'Jour',
      week: 'Semaine',
      month: 'Mois',
      hour: 'Heure',
      station: 'Poste',
      location: 'Lieu',
      ageBand: 'Tranche d’âge',
      sex: 'Sexe',
      municipality: 'Commune',
      occupation: 'Activité',
    },
    columns: {
      persons: 'Personnes',
      sessions: 'Sessions',
      startedSessions: 'Sessions commencées',
      usedSeconds: 'Heures utilisées',
      averageWaitSeconds: 'Attente moyenne (min)',
      averageLengthSeconds: 'Durée moyenne (min)',
    },
    unknown: 'Non renseigné',
    others: 'Autres (moins de 5 personnes chacun)',
    title: 'Fréquentation',
    note: 'Les groupes de moins de 5 personnes sont réunis.',
  },
  en: {
    by: {
      day: 'Day',
      week: 'Week',
      month: 'Month',
      hour: 'Hour',
      station: 'Station',
      location: 'Location',
      ageBand: 'Age band',
      sex: 'Sex',
      municipality: 'Municipality',
      occupation: 'Occupation',
    },
    columns: {
      persons: 'Persons',
      sessions: 'Sessions',
      startedSessions: 'Sessions started',
      usedSeconds: 'Hours used',
      averageWaitSeconds: 'Average wait (min)',
      averageLengthSeconds: 'Average length (min)',
    },
    unknown: 'Not given',
    others: 'Others (fewer than 5 persons each)',
    title: 'Attendance',
    note: 'Groups of fewer than 5 persons are merged.',
  },
} as const

/** Statistics as a table for people: hours and minutes instead of seconds, words instead of keys. */
export function sheetOf({ by, rows }: Statistics, language: Language): Sheet {
  const text = words[language]
  const name = (key: string) => (key === '' ? text.unknown : key === '*' ? text.others : key)
  return {
    title: `${text.title} · ${text.by[by]}`,
    header: [text.by[by], ...columns.map((column) => text.columns[column])],
    rows: rows.map((row) => [name(row.key), ...columns.map((column) => shown(column, row[column]))]),
  }
}

/** Hours or minutes with two decimals at most, and counts as they are. */
function shown(column: Column, value: number): number {
  if (column === 'usedSeconds') return Math.round(value / 36) / 100
  return column.startsWith('average') ? Math.round(value / 0.6) / 100 : value
}

/** CSV as spreadsheets set to French or English open it: a mark of UTF-8, `;` or `,`, and no cell that calculates. */
export function csvOf({ header, rows }: Sheet, language: Language): string {
  const separator = language === 'fr' ? ';' : ','
  const cell = (value: string | number) => {
    if (typeof value === 'number') return language === 'fr' ? String(value).replace('.', ',') : String(value)
    const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
    return /[";,\n\r]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
  }
  return `\ufeff${[header, ...rows].map((row) => row.map(cell).join(separator)).join('\r\n')}\r\n`
}

export async function xlsxOf({ title, header, rows }: Sheet): Promise<Buffer> {
  // Loaded when somebody asks for a workbook.
  const { default: writeXlsxFile } = await import('write-excel-file/node')
  const bold = header.map((value) => ({ value, fontWeight: 'bold' as const }))
  const body = rows.map((row) => row.map((value) => ({ value })))
  const sheet = title.replace(/[\\/?*[\]:]/g, ' ').slice(0, 31)
  return writeXlsxFile([bold, ...body], { sheet, columns: header.map(() => ({ width: 22 })) }).toBuffer()
}

/** A page to read, print, or keep as PDF; without scripts and without styles that a strict policy refuses. */
export function htmlOf({ title, header, rows }: Sheet, period: string, language: Language): string {
  const format = new Intl.NumberFormat(language)
  const cell = (value: string | number) =>
    typeof value === 'number'
      ? `<td align="right">${format.format(value)}</td>`
      : `<th scope="row" align="left">${escape(value)}</th>`
  const lines = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')
  return `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><title>${escape(title)}</title></head>
<body>
<h1>${escape(title)}</h1>
<p>${escape(period)}</p>
<table border="1" cellpadding="6" cellspacing="0">
<thead><tr>${header.map((name) => `<th scope="col">${escape(name)}</th>`).join('')}</tr></thead>
<tbody>
${lines}
</tbody>
</table>
<p><small>${words[language].note}</small></p>
</body>
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
