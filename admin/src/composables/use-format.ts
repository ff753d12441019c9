import type { Language } from '@escale/protocol'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'

/** Dates, times, lengths and shares as the operator's language writes them. Instants are RFC 3339. */
export function useFormat() {
  const { locale } = useI18n()
  const formats = computed(() => formatsIn(locale.value as Language))
  return {
    time: (instant: string | number) => formats.value.time.format(new Date(instant)),
    clock: (instant: number) => formats.value.clock.format(instant),
    /** `34 ms`, `1,2 s`. */
    delay: (ms: number) =>
      ms < 1_000 ? formats.value.millisecond.format(ms) : formats.value.shortSecond.format(ms / 1_000),
    /** `mardi 24 novembre à 02:21`. */
    dayTime: (instant: string) => formats.value.dayTime.format(new Date(instant)),
    date: (instant: string | number) => formats.value.date.format(new Date(instant)),
    dateTime: (instant: string) => formats.value.dateTime.format(new Date(instant)),
    percent: (percent: number) => formats.value.percent.format(percent / 100),
    celsius: (degrees: number) => formats.value.celsius.format(degrees),
    number: (value: number) => formats.value.number.format(value),
    minutes: (seconds: number) => lengthText(formats.value, seconds),
    seconds: (seconds: number) => formats.value.second.format(seconds),
    ago: (fromMs: number, nowMs: number) => agoText(formats.value, (nowMs - fromMs) / 1_000),
  }
}

function formatsIn(language: Language) {
  const tag = language === 'fr' ? 'fr-FR' : 'en-GB'
  const unit = (name: string) =>
    new Intl.NumberFormat(language, {
      style: 'unit',
      unit: name,
      unitDisplay: 'short',
      maximumFractionDigits: 0,
    })
  return {
    time: new Intl.DateTimeFormat(tag, { hour: '2-digit', minute: '2-digit' }),
    clock: new Intl.DateTimeFormat(tag, { timeStyle: 'medium' }),
    millisecond: unit('millisecond'),
    shortSecond: new Intl.NumberFormat(language, {
      ...{ style: 'unit', unit: 'second', unitDisplay: 'short', maximumFractionDigits: 1 },
    }),
    dayTime: new Intl.DateTimeFormat(tag, {
      ...{ weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' },
    }),
    date: new Intl.DateTimeFormat(tag, { dateStyle: 'medium' }),
    dateTime: new Intl.DateTimeFormat(tag, { dateStyle: 'short', timeStyle: 'medium' }),
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
