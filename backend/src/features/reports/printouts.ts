import {
  unixMsOf,
  type Bilingual,
  type Language,
  type Report,
  type ReportKind,
  type Statistics,
  type StatisticsDimension,
  type StatisticsRow,
} from '@escale/protocol'
import { Temporal } from 'temporal-polyfill'
import { OTHERS_KEY, UNKNOWN_KEY } from '../../domain/statistics.ts'
import type { Printout, Sheet } from './formats.ts'

/** The columns of statistics, in their order. */
const columns = {
  persons: { fr: 'Personnes', en: 'Persons' },
  sessions: { fr: 'Sessions', en: 'Sessions' },
  startedSessions: { fr: 'Sessions commencées', en: 'Sessions started' },
  usedSeconds: { fr: 'Heures utilisées', en: 'Hours used' },
  averageWaitSeconds: { fr: 'Attente moyenne (min)', en: 'Average wait (min)' },
  averageLengthSeconds: { fr: 'Durée moyenne (min)', en: 'Average length (min)' },
} satisfies Record<Exclude<keyof StatisticsRow, 'key'>, Bilingual>
type Column = keyof typeof columns
const columnNames = Object.keys(columns) as Column[]

const dimensions: Record<StatisticsDimension, Bilingual> = {
  day: { fr: 'Jour', en: 'Day' },
  week: { fr: 'Semaine', en: 'Week' },
  month: { fr: 'Mois', en: 'Month' },
  hour: { fr: 'Heure', en: 'Hour' },
  station: { fr: 'Poste', en: 'Station' },
  location: { fr: 'Lieu', en: 'Location' },
  ageBand: { fr: 'Tranche d’âge', en: 'Age band' },
  sex: { fr: 'Sexe', en: 'Sex' },
  municipality: { fr: 'Commune', en: 'Municipality' },
  occupation: { fr: 'Activité', en: 'Occupation' },
}

const reports: Record<ReportKind, Bilingual> = {
  sessions: { fr: 'Rapport des sessions', en: 'Report on sessions' },
  logs: { fr: 'Rapport du journal', en: 'Report on the journal' },
}

/** The parts of reports. */
const sections = {
  total: { fr: 'Jour', en: 'Day' },
  byStation: { fr: 'Par poste', en: 'By station' },
  byHour: { fr: 'Par heure', en: 'By hour' },
  endReasons: { fr: 'Fins de session', en: 'Ends of sessions' },
  byAction: { fr: 'Par action', en: 'By action' },
  byLevel: { fr: 'Par niveau', en: 'By level' },
}

/** What is counted, and its values. */
const counted = {
  endReason: { fr: 'Fin', en: 'End' },
  action: { fr: 'Action', en: 'Action' },
  level: { fr: 'Niveau', en: 'Level' },
}
const names: Record<string, Bilingual> = {
  expired: { fr: 'Temps écoulé', en: 'Time ran out' },
  terminated: { fr: 'Terminée par l’accueil', en: 'Ended by the desk' },
  logged_out: { fr: 'Quittée par le visiteur', en: 'Left by the visitor' },
  code_expired: { fr: 'Code expiré', en: 'Code expired' },
  suspended_too_long: { fr: 'Suspendue trop longtemps', en: 'Suspended too long' },
  station_lost: { fr: 'Poste retiré', en: 'Station removed' },
  info: { fr: 'Information', en: 'Information' },
  warning: { fr: 'Avertissement', en: 'Warning' },
  error: { fr: 'Erreur', en: 'Error' },
}

const attendance = { fr: 'Fréquentation', en: 'Attendance' }
const note = {
  fr: 'Les groupes de moins de 5 personnes sont réunis.',
  en: 'Groups of fewer than 5 persons are merged.',
}
const count = { fr: 'Nombre', en: 'Count' }
const unknown = { fr: 'Non renseigné', en: 'Not given' }
const others = { fr: 'Autres (moins de 5 personnes chacun)', en: 'Others (fewer than 5 persons each)' }

/** Statistics for people: hours and minutes instead of seconds, words instead of keys. */
export function printoutOfStatistics(
  { by, rows, ...span }: Statistics,
  timeZone: string,
  language: Language,
): Printout {
  const title = `${attendance[language]} · ${dimensions[by][language]}`
  return {
    title,
    name: `escale-${by}-${daysOf(span, timeZone).join('-')}`,
    period: periodOf(span, timeZone, language),
    note: note[language],
    sheets: [statisticsSheet(title, by, rows, language)],
  }
}

/** A stored report, with one sheet for each of its parts. */
export function printoutOfReport(
  { kind, content, ...span }: Report,
  timeZone: string,
  language: Language,
): Printout {
  const table = (part: keyof typeof sections, by: StatisticsDimension) =>
    statisticsSheet(sections[part][language], by, (content[part] ?? []) as StatisticsRow[], language)
  const counts = (part: keyof typeof sections, by: keyof typeof counted): Sheet => ({
    title: sections[part][language],
    header: [counted[by][language], count[language]],
    rows: Object.entries((content[part] ?? {}) as Record<string, number>)
      .map(([key, value]): [string, number] => [names[key]?.[language] ?? key, value])
      .sort(([, a], [, b]) => b - a),
  })
  const parts: Record<ReportKind, () => Sheet[]> = {
    sessions: () => [
      table('total', 'day'),
      table('byStation', 'station'),
      table('byHour', 'hour'),
      counts('endReasons', 'endReason'),
    ],
    logs: () => [counts('byAction', 'action'), counts('byLevel', 'level')],
  }
  const [day = ''] = daysOf(span, timeZone)
  return {
    title: reports[kind][language],
    name: `escale-${kind}-${day}`,
    period: periodOf(span, timeZone, language),
    sheets: parts[kind](),
  }
}

function statisticsSheet(
  title: string,
  by: StatisticsDimension,
  rows: readonly StatisticsRow[],
  language: Language,
): Sheet {
  const name = (key: string) => {
    if (key === UNKNOWN_KEY) return unknown[language]
    if (key === OTHERS_KEY) return others[language]
    return by === 'ageBand' ? ageBandInWords(key, language) : key
  }
  return {
    title,
    header: [dimensions[by][language], ...columnNames.map((column) => columns[column][language])],
    rows: rows.map((row) => [
      name(row.key),
      ...columnNames.map((column) => inPeopleUnits(column, row[column])),
    ]),
  }
}

/** In words: a spreadsheet would read `10-19` as a day of October. */
function ageBandInWords(band: string, language: Language): string {
  const [from = '', to = ''] = band.replace('+', '').split('-')
  if (to === '') return language === 'fr' ? `${from} ans et plus` : `${from} years and over`
  return language === 'fr' ? `${from} à ${to} ans` : `${from} to ${to} years`
}

type Span = Pick<Statistics, 'from' | 'to'>

/** First and last day of a span, `YYYY-MM-DD` in the site's time zone; `to` itself is not part of the span. */
function daysOf({ from, to }: Span, timeZone: string): string[] {
  return [unixMsOf(from), Math.max(unixMsOf(from), unixMsOf(to) - 1)].map((unixMs) =>
    Temporal.Instant.fromEpochMilliseconds(unixMs).toZonedDateTimeISO(timeZone).toPlainDate().toString(),
  )
}

function periodOf(span: Span, timeZone: string, language: Language): string {
  const days = daysOf(span, timeZone).map((day) =>
    Temporal.PlainDate.from(day).toLocaleString(language, { dateStyle: 'long' }),
  )
  return [...new Set(days)].join(' → ')
}

/** Times in hours or minutes with at most two decimals; counts unchanged. */
function inPeopleUnits(column: Column, value: number): number {
  if (column === 'usedSeconds') return Math.round(value / 36) / 100
  return column.startsWith('average') ? Math.round(value / 0.6) / 100 : value
}
