import {
  unixMsOf,
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
    ages: (from: string, to: string) => `${from} à ${to} ans`,
    oldest: (from: string) => `${from} ans et plus`,
    unknown: 'Non renseigné',
    others: 'Autres (moins de 5 personnes chacun)',
    title: 'Fréquentation',
    note: 'Les groupes de moins de 5 personnes sont réunis.',
    reports: { sessions: 'Rapport des sessions', logs: 'Rapport du journal' },
    sections: {
      total: 'Jour',
      byStation: 'Par poste',
      byHour: 'Par heure',
      endReasons: 'Fins de session',
      byAction: 'Par action',
      byLevel: 'Par niveau',
    },
    count: 'Nombre',
    endReason: 'Fin',
    action: 'Action',
    level: 'Niveau',
    names: {
      expired: 'Temps écoulé',
      terminated: 'Terminée par l’accueil',
      logged_out: 'Quittée par le visiteur',
      code_expired: 'Code expiré',
      suspended_too_long: 'Suspendue trop longtemps',
      station_lost: 'Poste retiré',
      info: 'Information',
      warning: 'Avertissement',
      error: 'Erreur',
    },
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
    ages: (from: string, to: string) => `${from} to ${to} years`,
    oldest: (from: string) => `${from} years and over`,
    unknown: 'Not given',
    others: 'Others (fewer than 5 persons each)',
    title: 'Attendance',
    note: 'Groups of fewer than 5 persons are merged.',
    reports: { sessions: 'Report on sessions', logs: 'Report on the journal' },
    sections: {
      total: 'Day',
      byStation: 'By station',
      byHour: 'By hour',
      endReasons: 'Ends of sessions',
      byAction: 'By action',
      byLevel: 'By level',
    },
    count: 'Count',
    endReason: 'End',
    action: 'Action',
    level: 'Level',
    names: {
      expired: 'Time ran out',
      terminated: 'Ended by the desk',
      logged_out: 'Left by the visitor',
      code_expired: 'Code expired',
      suspended_too_long: 'Suspended too long',
      station_lost: 'Station removed',
      info: 'Information',
      warning: 'Warning',
      error: 'Error',
    },
  },
} as const

/** Statistics for people: hours and minutes instead of seconds, words instead of keys. */
export function printoutOfStatistics(
  { by, rows, ...span }: Statistics,
  timeZone: string,
  language: Language,
): Printout {
  const text = words[language]
  const title = `${text.title} · ${text.by[by]}`
  return {
    title,
    name: `escale-${by}-${daysOf(span, timeZone).join('-')}`,
    period: periodOf(span, timeZone, language),
    note: text.note,
    sheets: [statisticsSheet(title, by, rows, language)],
  }
}

/** A stored report, with one sheet for each of its parts. */
export function printoutOfReport(
  { kind, content, ...span }: Report,
  timeZone: string,
  language: Language,
): Printout {
  const text = words[language]
  const table = (part: keyof typeof text.sections, by: StatisticsDimension) =>
    statisticsSheet(text.sections[part], by, (content[part] ?? []) as StatisticsRow[], language)
  const counts = (part: keyof typeof text.sections, by: 'endReason' | 'action' | 'level'): Sheet => ({
    title: text.sections[part],
    header: [text[by], text.count],
    rows: Object.entries((content[part] ?? {}) as Record<string, number>)
      .map(([key, count]): [string, number] => [(text.names as Record<string, string>)[key] ?? key, count])
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
    title: text.reports[kind],
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
  const text = words[language]
  const name = (key: string) => {
    if (key === UNKNOWN_KEY) return text.unknown
    if (key === OTHERS_KEY) return text.others
    return by === 'ageBand' ? ageBandInWords(key, text) : key
  }
  return {
    title,
    header: [text.by[by], ...columns.map((column) => text.columns[column])],
    rows: rows.map((row) => [name(row.key), ...columns.map((column) => inPeopleUnits(column, row[column]))]),
  }
}

/** In words: a spreadsheet would read `10-19` as a day of October. */
function ageBandInWords(band: string, text: Pick<(typeof words)[Language], 'ages' | 'oldest'>): string {
  const [from = '', to = ''] = band.replace('+', '').split('-')
  return to === '' ? text.oldest(from) : text.ages(from, to)
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
