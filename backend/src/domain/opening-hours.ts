import type { Bilingual, OpeningHours } from '@escale/protocol'
import { Temporal } from 'temporal-polyfill'

export type OpeningAt =
  | { isOpen: true; /** Unix ms at which the site closes. */ closesAtMs: number }
  | { isOpen: false; /** Unix ms at which it opens next, within two weeks. */ opensAtMs?: number }

type Span = OpeningHours['week'][number][number]

const DAYS_AHEAD = 14
const DAY_MINUTES = 24 * 60
const WEEK_DAYS = 7

/**
 * Whether a site is open, and until or from when. Spans are wall-clock times, so a change of the clocks is handled.
 * Spans that meet (also at midnight) count as one. A span whose closing time is before its opening time ends on the
 * next day. It belongs to the day on which it begins, so an exception for the next day does not change it.
 * @param timeZone an IANA name
 */
export function openingAt(hours: OpeningHours, nowMs: number, timeZone: string): OpeningAt {
  const today = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone).toPlainDate()
  const yesterday = today.subtract({ days: 1 })
  const spans = Array.from({ length: DAYS_AHEAD + 1 }, (_, i) => yesterday.add({ days: i })).flatMap((day) =>
    spansOf(hours, day).map((span) => ({
      fromMs: instantMs(day, minutesOf(span.opens), timeZone),
      toMs: instantMs(day, endOf(span), timeZone),
    })),
  )
  spans.sort((a, b) => a.fromMs - b.fromMs)
  const current = spans.find(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs)
  if (!current) {
    const next = spans.find(({ fromMs, toMs }) => fromMs > nowMs && toMs > fromMs)
    return { isOpen: false, opensAtMs: next?.fromMs }
  }
  let closesAtMs = current.toMs
  for (const { fromMs, toMs } of spans) if (fromMs <= closesAtMs) closesAtMs = Math.max(closesAtMs, toMs)
  return { isOpen: true, closesAtMs }
}

/** A fault in opening hours. */
export interface OpeningFault {
  /** JSON pointer (RFC 6901) inside the opening hours. */
  pointer: string
  message: Bilingual
}

/**
 * Finds everything ambiguous in opening hours: spans without length, days with two exceptions, and spans that overlap,
 * also past midnight and with an exception on the day before or after.
 */
export function faultsOfOpeningHours(hours: OpeningHours): OpeningFault[] {
  return [...faultsOfWeek(hours), ...faultsOfExceptions(hours)]
}

function faultsOfWeek({ week }: OpeningHours): OpeningFault[] {
  return week.flatMap((spans, day) => {
    const pointer = `/week/${day}`
    const before = week[(day + WEEK_DAYS - 1) % WEEK_DAYS] ?? []
    return [...faultsOfDay(spans, pointer), ...faultsAfter(before, spans, pointer)]
  })
}

function faultsOfExceptions(hours: OpeningHours): OpeningFault[] {
  const seen = new Set<string>()
  return hours.exceptions.flatMap(({ date, spans }, index) => {
    const pointer = `/exceptions/${index}`
    if (seen.has(date)) return [{ pointer: `${pointer}/date`, message: doubled }]
    seen.add(date)
    const day = Temporal.PlainDate.from(date)
    const before = spansOf(hours, day.subtract({ days: 1 }))
    const after = day.add({ days: 1 }).toString()
    // If the next day is an exception too, its own check compares it with this day.
    const reachesInto = hours.exceptions.some((other) => other.date === after)
      ? []
      : faultsBefore(spans, spansOf(hours, day.add({ days: 1 })), pointer)
    return [
      ...faultsOfDay(spans, spansPointer(pointer)),
      ...faultsAfter(before, spans, spansPointer(pointer)),
      ...reachesInto,
    ]
  })
}

const spansPointer = (pointer: string) => `${pointer}/spans`

/** Faults within one day. Its spans may be in any order. */
function faultsOfDay(spans: readonly Span[], pointer: string): OpeningFault[] {
  return spans.flatMap((span, index) => {
    if (span.opens === span.closes) return [{ pointer: `${pointer}/${index}/closes`, message: noLength }]
    const isOverlapping = spans.slice(0, index).some((other) => overlap(span, other))
    return isOverlapping ? [{ pointer: `${pointer}/${index}/opens`, message: overlapping }] : []
  })
}

/** Spans that begin before the spans of the previous day have ended. */
function faultsAfter(before: readonly Span[], spans: readonly Span[], pointer: string): OpeningFault[] {
  const untilMinutes = latestEnd(before) - DAY_MINUTES
  return spans.flatMap(({ opens }, index) =>
    minutesOf(opens) < untilMinutes ? [{ pointer: `${pointer}/${index}/opens`, message: overnight }] : [],
  )
}

/** Spans that overlap with the spans of the next day. */
function faultsBefore(spans: readonly Span[], after: readonly Span[], pointer: string): OpeningFault[] {
  const firstMinutes = Math.min(...after.map(({ opens }) => minutesOf(opens)))
  return spans.flatMap((span, index) =>
    endOf(span) - DAY_MINUTES > firstMinutes
      ? [{ pointer: `${spansPointer(pointer)}/${index}/closes`, message: overnight }]
      : [],
  )
}

const latestEnd = (spans: readonly Span[]) => Math.max(0, ...spans.map(endOf))
const overlap = (a: Span, b: Span) => minutesOf(a.opens) < endOf(b) && minutesOf(b.opens) < endOf(a)

const noLength: Bilingual = {
  fr: 'Cette plage ouvre et ferme à la même heure\u202f; pour un jour entier, écrivez de 00:00 à 24:00.',
  en: 'This span opens and closes at the same time; for a whole day, write 00:00 to 24:00.',
}
const overlapping: Bilingual = {
  fr: 'Cette plage en recouvre une autre du même jour\u00a0: réunissez-les en une seule.',
  en: 'This span overlaps another of the same day: join them into one.',
}
const overnight: Bilingual = {
  fr: 'Une plage qui se termine après minuit recouvre une plage du lendemain\u00a0: changez l’une des deux.',
  en: 'A span that ends after midnight overlaps one of the next day: change one of them.',
}
const doubled: Bilingual = {
  fr: 'Ce jour a déjà une exception\u00a0: gardez-en une seule.',
  en: 'This day has an exception already: keep one of them.',
}

function spansOf({ week, exceptions }: OpeningHours, day: Temporal.PlainDate): readonly Span[] {
  const exception = exceptions.find(({ date }) => date === day.toString())
  return exception ? exception.spans : (week[day.dayOfWeek - 1] ?? [])
}

/** Minutes since midnight. */
function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return hours * 60 + minutes
}

/** The end of a span in minutes since midnight; more than 24 hours if the span ends on the next day. */
function endOf({ opens, closes }: Span): number {
  const [from, to] = [minutesOf(opens), minutesOf(closes)]
  return to < from ? to + DAY_MINUTES : to
}

function instantMs(day: Temporal.PlainDate, minutes: number, timeZone: string): number {
  const date = day.add({ days: Math.floor(minutes / DAY_MINUTES) })
  const rest = minutes % DAY_MINUTES
  const plainTime = Temporal.PlainTime.from({ hour: Math.floor(rest / 60), minute: rest % 60 })
  return date.toZonedDateTime({ timeZone, plainTime }).epochMilliseconds
}
