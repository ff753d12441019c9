import type { Language } from '@escale/protocol'
import { toReactive, useMemoize } from '@vueuse/core'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { useSite } from './use-site.ts'

/**
 * Dates, times, durations and percentages in the operator's language. Instants are RFC 3339 or Unix ms, and are shown
 * in the site's time zone, whatever the browser's time zone is.
 */
export function useFormat(): Formatting {
  const { locale } = useI18n()
  const site = useSite()
  return toReactive(computed(() => formattingIn(locale.value as Language, site.timeZone)))
}

export type Formatting = ReturnType<typeof formattingIn>

/**
 * The same outside components. It is kept, because a large room has thousands of texts to format.
 * @param timeZone IANA name; the browser's own by default
 */
export const formattingIn = useMemoize((language: Language, timeZone?: string) => {
  const formats = formatsIn(language, timeZone)
  return {
    time: (instant: string | number) => formats.time.format(new Date(instant)),
    clock: (instant: number) => formats.clock.format(instant),
    /** `34 ms`, `1,2 s`. */
    delay: (ms: number) =>
      ms < 1_000 ? formats.millisecond.format(ms) : formats.shortSecond.format(ms / 1_000),
    /** `mardi 24 novembre à 02:21`. */
    dayTime: (instant: string) => formats.dayTime.format(new Date(instant)),
    /** The day on which an instant falls at the site. */
    date: (instant: string | number) => formats.date.format(new Date(instant)),
    /** A date without a time zone, such as a birth date: `YYYY-MM-DD`. */
    calendarDate: (date: string) => formats.calendarDate.format(new Date(`${date}T00:00:00Z`)),
    dateTime: (instant: string) => formats.dateTime.format(new Date(instant)),
    percent: (percent: number) => formats.percent.format(percent / 100),
    celsius: (degrees: number) => formats.celsius.format(degrees),
    number: (value: number) => formats.number.format(value),
    minutes: (seconds: number) => lengthText(formats, seconds),
    seconds: (seconds: number) => formats.second.format(seconds),
    ago: (fromMs: number, nowMs: number) => agoText(formats, (nowMs - fromMs) / 1_000),
  }
})

function formatsIn(language: Language, timeZone: string | undefined) {
  const tag = language === 'fr' ? 'fr-FR' : 'en-GB'
  const at = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(tag, { timeZone, ...options })
  const unit = (name: string) =>
    new Intl.NumberFormat(language, {
      style: 'unit',
      unit: name,
      unitDisplay: 'short',
      maximumFractionDigits: 0,
    })
  return {
    time: at({ hour: '2-digit', minute: '2-digit' }),
    clock: at({ timeStyle: 'medium' }),
    millisecond: unit('millisecond'),
    shortSecond: new Intl.NumberFormat(language, {
      ...{ style: 'unit', unit: 'second', unitDisplay: 'short', maximumFractionDigits: 1 },
    }),
    dayTime: at({ weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' }),
    date: at({ dateStyle: 'medium' }),
    calendarDate: at({ dateStyle: 'medium', timeZone: 'UTC' }),
    dateTime: at({ dateStyle: 'short', timeStyle: 'medium' }),
    percent: new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 0 }),
    number: new Intl.NumberFormat(tag),
    celsius: unit('celsius'),
    hour: unit('hour'),
    minute: unit('minute'),
    second: unit('second'),
    relative: new Intl.RelativeTimeFormat(tag, { numeric: 'auto' }),
  }
}

type Formats = ReturnType<typeof formatsIn>

/** `45 s`, `20 min`, `1 h 30 min`. */
function lengthText(formats: Formats, seconds: number): string {
  if (seconds < 60) return formats.second.format(seconds)
  const minutes = Math.round(seconds / 60)
  if (minutes < 120 && minutes % 60 !== 0) return formats.minute.format(minutes)
  const hours = formats.hour.format(Math.floor(minutes / 60))
  return minutes % 60 === 0 ? hours : `${hours} ${formats.minute.format(minutes % 60)}`
}

function agoText(formats: Formats, seconds: number): string {
  if (seconds < 90) return formats.relative.format(-Math.max(0, Math.round(seconds / 10) * 10), 'second')
  if (seconds < 90 * 60) return formats.relative.format(-Math.round(seconds / 60), 'minute')
  if (seconds < 36 * 3_600) return formats.relative.format(-Math.round(seconds / 3_600), 'hour')
  return formats.relative.format(-Math.round(seconds / 86_400), 'day')
}
