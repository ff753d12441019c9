import french from 'quasar/lang/fr'
import { typesetFrench } from './typeset.ts'

const inFrench = (options: Intl.DateTimeFormatOptions) => {
  const format = new Intl.DateTimeFormat('fr', { ...options, timeZone: 'UTC' })
  return (year: number, month: number, day: number) => format.format(new Date(Date.UTC(year, month, day)))
}

/** From Sunday on; 2023 began on one. */
function daysOf(weekday: 'long' | 'short') {
  const day = inFrench({ weekday })
  const at = (date: number) => day(2023, 0, date)
  return [at(1), at(2), at(3), at(4), at(5), at(6), at(7)] as const
}

function monthsOf(month: 'long' | 'short') {
  const name = inFrench({ month })
  const at = (index: number) => name(2023, index, 1)
  const winter = [at(0), at(1), at(2), at(3), at(4), at(5)] as const
  return [...winter, at(6), at(7), at(8), at(9), at(10), at(11)] as const
}

/** Quasar's French with right spaces, apostrophes, months and words. */
export const quasarFrench = {
  ...french,
  label: {
    ...french.label,
    expand: (label?: string) => (label ? typesetFrench(`Développer « ${label} »`) : 'Développer'),
    collapse: (label?: string) => (label ? typesetFrench(`Réduire « ${label} »`) : 'Réduire'),
  },
  date: {
    ...french.date,
    days: daysOf('long'),
    daysShort: daysOf('short'),
    months: monthsOf('long'),
    monthsShort: monthsOf('short'),
    today: typesetFrench("Aujourd'hui"),
  },
  table: {
    ...french.table,
    loading: 'Chargement…',
    recordsPerPage: typesetFrench('Lignes par page :'),
    pagination: (start: number, end: number, total: number) => `${start}–${end} sur ${total}`,
  },
}
