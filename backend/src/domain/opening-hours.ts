import type { OpeningHours } from '@escale/protocol'
import { Temporal } from 'temporal-polyfill'

export type OpeningAt =
  | { isOpen: true; /** Unix ms at which the site closes. */ closesAtMs: number }
  | { isOpen: false; /** Unix ms at which it opens next, within two weeks. */ opensAtMs?: number }

const DAYS_AHEAD = 14

/**
 * Whether a site is open, and until or from when. Right across a change of clocks, for spans are wall-clock
 * times; spans that meet (also at midnight) count as one.
 * @param timeZone an IANA name
 */
export function openingAt(hours: OpeningHours, nowMs: number, timeZone: string): OpeningAt {
  const today = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone).toPlainDate()
  const spans = Array.from({ length: DAYS_AHEAD }, (_, i) => today.add({ days: i })).flatMap((day) =>
    spansOf(hours, day).map(({ opens, closes }) => ({
      fromMs: instantMs(day, opens, timeZone),
      toMs: instantMs(day, closes, timeZone),
    })),
  )
  spans.sort((a, b) => a.fromMs - b.fromMs)
  const current = spans.find(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs)
  if (!current) {
    const next = spans.find(({ fromMs }) => fromMs > nowMs)
    return { isOpen: false, opensAtMs: next?.fromMs }
  }
  let closesAtMs = current.toMs
  for (const { fromMs, toMs } of spans) if (fromMs <= closesAtMs) closesAtMs = Math.max(closesAtMs, toMs)
  return { isOpen: true, closesAtMs }
}

function spansOf({ week, exceptions }: OpeningHours, day: Temporal.PlainDate): OpeningHours['week'][number] {
  const exception = exceptions.find(({ date }) => date === day.toString())
  return exception ? exception.spans : (week[day.dayOfWeek - 1] ?? [])
}

function instantMs(day: Temporal.PlainDate, time: string, timeZone: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  const date = hours === 24 ? day.add({ days: 1 }) : day
  const plainTime = Temporal.PlainTime.from({ hour: hours % 24, minute: minutes })
  return date.toZonedDateTime({ timeZone, plainTime }).epochMilliseconds
}
