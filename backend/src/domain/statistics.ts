import type { StatisticsDimension, StatisticsRow } from '@escale/protocol'
import { Temporal } from 'temporal-polyfill'

/** One session as the statistics see it; instants in Unix milliseconds. */
export interface SessionFact {
  /** Counts persons without naming them; an anonymous pass is a person of its own. */
  personKey: string
  createdAtMs: number
  startedAtMs?: number
  usedMs: number
  stationLabel?: string
  location?: string
  ageBand?: string
  sex?: string
  municipality?: string
  occupation?: string
}

/** Cells with fewer persons than this are shown only together with others. */
export const SMALLEST_CELL_PERSONS = 5

const personalDimensions: readonly StatisticsDimension[] = ['ageBand', 'sex', 'municipality', 'occupation']

/** Keys of the rows that stand for what is not known, and for the cells that are too small to be shown. */
export const UNKNOWN_KEY = ''
export const OTHERS_KEY = '*'

interface Cell {
  key: string
  persons: Set<string>
  sessions: number
  started: number
  usedMs: number
  waitMs: number
}

/**
 * Counts and hours by one dimension, in the site's time zone, ordered by key. Where a dimension speaks of persons,
 * cells of fewer than five are merged into one, and the next smallest with them if that is needed to hide them:
 * sums stay right and tell nothing about a few.
 */
export function statisticsBy(
  dimension: StatisticsDimension,
  facts: readonly SessionFact[],
  timeZone: string,
): StatisticsRow[] {
  const cells = new Map<string, Cell>()
  const keyOf = keyOfFact(dimension, timeZone)
  for (const fact of facts) {
    const key = keyOf(fact)
    const cell = cells.get(key) ?? emptyCell(key)
    cells.set(key, cell)
    addFact(cell, fact)
  }
  const shown = personalDimensions.includes(dimension) ? mergeSmall([...cells.values()]) : [...cells.values()]
  return shown.sort((a, b) => compareKeys(a.key, b.key)).map(toRow)
}

/** Age in completed years on the day of the session, in bands of ten from 0-9 to 80+. */
export function ageBandOf(birthDate: string, onMs: number, timeZone: string): string {
  const day = Temporal.Instant.fromEpochMilliseconds(onMs).toZonedDateTimeISO(timeZone).toPlainDate()
  const { years } = Temporal.PlainDate.from(birthDate).until(day, { largestUnit: 'years' })
  if (years >= 80) return '80+'
  const decade = Math.max(0, Math.floor(years / 10) * 10)
  return `${decade}-${decade + 9}`
}

function keyOfFact(dimension: StatisticsDimension, timeZone: string): (fact: SessionFact) => string {
  const local = ({ createdAtMs }: SessionFact) =>
    Temporal.Instant.fromEpochMilliseconds(createdAtMs).toZonedDateTimeISO(timeZone)
  switch (dimension) {
    case 'day':
      return (fact) => local(fact).toPlainDate().toString()
    case 'week':
      return (fact) => {
        const { yearOfWeek, weekOfYear } = local(fact)
        return `${yearOfWeek ?? 0}-W${String(weekOfYear ?? 0).padStart(2, '0')}`
      }
    case 'month':
      return (fact) => local(fact).toPlainDate().toPlainYearMonth().toString()
    case 'hour':
      return (fact) => String(local(fact).hour).padStart(2, '0')
    case 'station':
      return (fact) => fact.stationLabel ?? UNKNOWN_KEY
    default:
      return (fact) => fact[dimension] ?? UNKNOWN_KEY
  }
}

const emptyCell = (key: string): Cell => ({
  key,
  persons: new Set(),
  sessions: 0,
  started: 0,
  usedMs: 0,
  waitMs: 0,
})

function addFact(cell: Cell, { personKey, createdAtMs, startedAtMs, usedMs }: SessionFact): void {
  cell.persons.add(personKey)
  cell.sessions += 1
  cell.usedMs += usedMs
  if (startedAtMs === undefined) return
  cell.started += 1
  cell.waitMs += Math.max(0, startedAtMs - createdAtMs)
}

function mergeSmall(cells: Cell[]): Cell[] {
  const bySize = cells.sort((a, b) => a.persons.size - b.persons.size)
  if ((bySize[0]?.persons.size ?? SMALLEST_CELL_PERSONS) >= SMALLEST_CELL_PERSONS) return bySize
  const others = emptyCell(OTHERS_KEY)
  let merged = 0
  for (const cell of bySize) {
    // One cell alone could be told from the total: at least two go together, and five persons.
    const isEnough = merged >= 2 && others.persons.size >= SMALLEST_CELL_PERSONS
    if (cell.persons.size >= SMALLEST_CELL_PERSONS && isEnough) break
    for (const person of cell.persons) others.persons.add(person)
    others.sessions += cell.sessions
    others.started += cell.started
    others.usedMs += cell.usedMs
    others.waitMs += cell.waitMs
    merged += 1
  }
  const isShowable = others.persons.size >= SMALLEST_CELL_PERSONS
  return [...(isShowable ? [others] : []), ...bySize.slice(merged)]
}

const compareKeys = (a: string, b: string) =>
  Number(a === OTHERS_KEY) - Number(b === OTHERS_KEY) || (a < b ? -1 : 1)

function toRow({ key, persons, sessions, started, usedMs, waitMs }: Cell): StatisticsRow {
  const average = (ms: number) => (started === 0 ? 0 : Math.round(ms / started / 1_000))
  return {
    key,
    persons: persons.size,
    sessions,
    startedSessions: started,
    usedSeconds: Math.floor(usedMs / 1_000),
    averageWaitSeconds: average(waitMs),
    averageLengthSeconds: average(usedMs),
  }
}
