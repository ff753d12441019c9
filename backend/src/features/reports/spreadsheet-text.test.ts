import { describe, expect, it } from 'vitest'
import { unzipSync, strFromU8 } from 'fflate'
import { csvOf, xlsxOf } from './formats.ts'
import { asCsvText } from './spreadsheet-text.ts'

const hostile = [
  '=1+1',
  '+1+1',
  '-1+1',
  '@SUM(A1)',
  '\t=1+1',
  '\r=1+1',
  '\n=1+1',
  '\nx',
  '\u000b=1+1',
  ' =1+1',
  '\u00a0=1+1',
  '\u202f\u2009=1+1',
  '\u200b=1+1',
  '\ufeff=1+1',
  '"=1+1"',
  "'=1+1",
  '’=1+1',
  '＝1+1',
  '＋1+1',
  '－1+1',
  '＠SUM(A1)',
  '−1+1',
  "=cmd|' /C calc'!A0",
  "+cmd|' /C calc'!A0",
  '=HYPERLINK("http://x";"y")',
  '=DDE("soffice";"x";"y")',
]
const guessed = [
  '10-14',
  '1/2',
  '3-4-5',
  '12:30',
  '1.5.2026',
  '3 mars',
  '3-Mar',
  'Mars 3',
  'déc. 24',
  '1E5',
  '2e-3',
  '007',
  '10 AM',
  '9:30 p.m.',
  'Mar 3, 2026',
  '1er mars 2026',
  '1234567890123456',
  'VRAI',
]
const plain = [
  'Étage; nord',
  'Poste 3',
  'Saint-Étienne',
  '10 à 19 ans',
  '80 ans et plus',
  '3e étage',
  '2026-03-02',
  '2026-03',
  '2026-W10',
  '08',
  'Marseille 3e',
  'a=b',
  'Maison 12',
]

describe('a text in a file of comma-separated values', () => {
  it.each([...hostile, ...guessed])('%j is shown as text, not calculated or converted', (text) => {
    expect(asCsvText(text).startsWith("'")).toBe(true)
    const csv = csvOf({ sheets: [{ title: '', header: ['a'], rows: [[text]] }] }, 'fr')
    const [, cell = ''] = csv.replace(/^\ufeff/, '').split(/\r\n(?=["'])/)
    expect(cell.replace(/^"/, '').startsWith("'")).toBe(true)
  })

  it.each(plain)('%j does not change', (text) => {
    expect(asCsvText(text)).toBe(text)
  })

  it('keeps numbers as numbers, negative ones too', () => {
    const sheet = { title: '', header: ['a'], rows: [[-1.5, 12, 0]] }
    expect(csvOf({ sheets: [sheet] }, 'fr')).toBe('\ufeffa\r\n-1,5;12;0\r\n')
  })
})

describe('a workbook', () => {
  it('contains texts as texts and numbers as numbers, and a replacement for characters that XML forbids', async () => {
    const rows = [...hostile, ...guessed].map((text) => [text, -1.5])
    const sheet = { title: "=cmd'[1]", header: ['=a', '+b'], rows: [...rows, ['Zo\u0000\u001b\ud800', 0]] }
    const files = unzipSync(new Uint8Array(await xlsxOf({ sheets: [sheet] })))
    const cells = strFromU8(files['xl/worksheets/sheet1.xml'] ?? new Uint8Array())
    const strings = Object.entries(files)
      .filter(([name]) => /sharedStrings|sheet1/.test(name))
      .map(([, file]) => strFromU8(file))
      .join('')
    expect(cells).not.toMatch(/<f[ >]/)
    expect(cells.match(/ t="(?:s|inlineStr)"/g)).toHaveLength(2 + rows.length + 1)
    expect(cells.match(/<v>-1\.5<\/v>/g)).toHaveLength(rows.length)
    expect(strings).toContain('<t>Zo')
    expect(strings).not.toMatch(/(?![\t\n\r])\p{Cc}/u)
  })
})
