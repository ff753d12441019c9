import { errorTitle, isErrorCode, type Language } from '@escale/protocol'
import { useI18n } from 'vue-i18n'
import { ApiError } from '../api/problem.ts'
import { useFormat } from './use-format.ts'

/** Says in one sentence what went wrong, in the operator's language. */
export function useErrorText() {
  const { t, locale } = useI18n()
  const format = useFormat()

  return (error: unknown): string => {
    if (!(error instanceof ApiError)) return t('errors.unreadable')
    if (error.code === 'network') return t('errors.network')
    if (!isErrorCode(error.code)) return t('errors.unreadable')
    const message = error.message || errorTitle(error.code, locale.value as Language)
    if (error.retryAfterSeconds === undefined) return message
    return t('errors.retryAfter', { message, delay: format.minutes(error.retryAfterSeconds) })
  }
}
