import { MINUTE_MS, type StatisticsDimension, type StatisticsRow } from '@escale/protocol'
import { Temporal } from 'temporal-polyfill'

/** One session as input of the statistics; instants in Unix milliseconds. */
export interface SessionFact {
  /** Distinguishes persons without naming them. A session without a key (an anonymous pass) counts as one person. */
  personKey?: string | null
  createdAtMs: number
  startedAtMs?: number | null
  usedMs: number
  stationLabel?: string | null
  location?: string | null
  ageBand?: string | null
  sex?: string | null
  municipality?: string | null
  occupation?: string | null
}

/** Cells with fewer persons than this are shown only together with others. */
export const SMALLEST_CELL_PERSONS = 5

const personalDimensions: readonly StatisticsDimension[] = ['ageBand', 'sex', 'municipality', 'occupation']

/** Row keys for unknown values, and for the cells that are too small to be shown alone. */
export const UNKNOWN_KEY = ''
export const OTHERS_KEY = '*'

interface Cell {
  key: string
  /** Numbers of the known persons; see `numberOf`. */
  known: Set<number>
  anonymous: number
  sessions: number
  started: number
  usedMs: number
  waitMs: number
}

/**
 * Counts sessions in the site's time zone. Memory grows with persons and cells, not with sessions. In a personal
 * dimension, cells with fewer than five persons are merged into one. The next smallest cells are merged too, until the
 * merged cell hides them. So the sums stay right, and no row describes only a few persons.
 */
export function createTally(dimension: StatisticsDimension, timeZone: string) {
  const cells = new Map<string, Cell>()
  const numbers = new Map<string, number>()
  const keyOf = keyOfFact(dimension, timeZone)

  function numberOf(personKey: string): number {
    const number = numbers.get(personKey) ?? numbers.size
    numbers.set(personKey, number)
    return number
  }

  return {
    add(fact: SessionFact): void {
      const { personKey, createdAtMs, startedAtMs, usedMs } = fact
      const key = keyOf(fact)
      const cell = cells.get(key) ?? emptyCell(key)
      cells.set(key, cell)
      if (personKey) cell.known.add(numberOf(personKey))
      else cell.anonymous += 1
      cell.sessions += 1
      cell.usedMs += usedMs
      if (typeof startedAtMs !== 'number') return
      cell.started += 1
      cell.waitMs += Math.max(0, startedAtMs - createdAtMs)
    },
    /** The rows so far, sorted by key. */
    rows(): StatisticsRow[] {
      const all = [...cells.values()]
      const shown = personalDimensions.includes(dimension) ? mergeSmall(all) : all
      return shown.sort((a, b) => compareKeys(a.key, b.key)).map(toRow)
    },
  }
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
  switch (dimension) {
    case 'day':
      return byTime(timeZone, (local) => local.toPlainDate().toString())
    case 'week':
      return byTime(timeZone, ({ yearOfWeek, weekOfYear }) => {
        return `${yearOfWeek ?? 0}-W${String(weekOfYear ?? 0).padStart(2, '0')}`
      })
    case 'month':
      return byTime(timeZone, (local) => local.toPlainDate().toPlainYearMonth().toString())
    case 'hour':
      return byTime(timeZone, ({ hour }) => String(hour).padStart(2, '0'))
    case 'station':
      return (fact) => fact.stationLabel ?? UNKNOWN_KEY
    default:
      return (fact) => fact[dimension] ?? UNKNOWN_KEY
  }
}

/** All UTC offsets are multiples of 15 minutes, so the key is computed once for each quarter of an hour. */
const QUARTER_MS = 15 * MINUTE_MS

function byTime(timeZone: string, keyOf: (local: Temporal.ZonedDateTime) => string) {
  const keys = new Map<number, string>()
  return ({ createdAtMs }: SessionFact): string => {
    const quarter = Math.floor(createdAtMs / QUARTER_MS)
    const key =
      keys.get(quarter) ??
      keyOf(Temporal.Instant.fromEpochMilliseconds(createdAtMs).toZonedDateTimeISO(timeZone))
    keys.set(quarter, key)
    return key
  }
}

const emptyCell = (key: string): Cell => ({
  key,
  known: new Set(),
  anonymous: 0,
  sessions: 0,
  started: 0,
  usedMs: 0,
  waitMs: 0,
})

const personsOf = ({ known, anonymous }: Cell) => known.size + anonymous

function mergeSmall(cells: Cell[]): Cell[] {
  const bySize = cells.sort((a, b) => personsOf(a) - personsOf(b))
  const [smallest] = bySize
  if (!smallest || personsOf(smallest) >= SMALLEST_CELL_PERSONS) return bySize
  const others = emptyCell(OTHERS_KEY)
  let merged = 0
  for (const cell of bySize) {
    // A single hidden cell could be computed from the total. So at least two cells and five persons are merged.
    const isEnough = merged >= 2 && personsOf(others) >= SMALLEST_CELL_PERSONS
    if (personsOf(cell) >= SMALLEST_CELL_PERSONS && isEnough) break
    for (const person of cell.known) others.known.add(person)
    others.anonymous += cell.anonymous
    others.sessions += cell.sessions
    others.started += cell.started
    others.usedMs += cell.usedMs
    others.waitMs += cell.waitMs
    merged += 1
  }
  const isShowable = personsOf(others) >= SMALLEST_CELL_PERSONS
  return [...(isShowable ? [others] : []), ...bySize.slice(merged)]
}

const compareKeys = (a: string, b: string) =>
  Number(a === OTHERS_KEY) - Number(b === OTHERS_KEY) || (a < b ? -1 : 1)

function toRow(cell: Cell): StatisticsRow {
  const { key, sessions, started, usedMs, waitMs } = cell
  const average = (ms: number) => (started === 0 ? 0 : Math.round(ms / started / 1_000))
  return {
    key,
    persons: personsOf(cell),
    sessions,
    startedSessions: started,
    usedSeconds: Math.floor(usedMs / 1_000),
    averageWaitSeconds: average(waitMs),
    averageLengthSeconds: average(usedMs),
  }
}
