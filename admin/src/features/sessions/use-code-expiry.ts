import { useI18n } from 'vue-i18n'
import { useFormat } from '../../composables/index.ts'
import { useLive } from '../../live/live-store.ts'

/** Until when a code is valid: the time, with the day unless it is today. */
export function useCodeExpiry() {
  const { t } = useI18n()
  const format = useFormat()
  const live = useLive()
  return (at: string) =>
    format.date(at) === format.date(live.nowMs)
      ? t('pending.expires', { time: format.time(at) })
      : t('pending.expiresOn', { time: format.dayTime(at) })
}
