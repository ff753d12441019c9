import { errorTitle, isErrorCode, type Language } from '@escale/protocol'
import { computed, ref } from 'vue'
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

/**
 * A form's last refusal: the server names fields by JSON pointer, so each message can stand at its field;
 * what fits no field of the form is told above it.
 */
export function useFormErrors(fields: readonly string[]) {
  const errorText = useErrorText()
  const failure = ref<unknown>()
  const byField = ref<Record<string, string>>({})

  const general = computed(() => {
    if (failure.value === undefined) return ''
    const error = failure.value instanceof ApiError ? failure.value : undefined
    const elsewhere = error?.fields.filter((field) => !fields.includes(nameOf(field.pointer))) ?? []
    if (Object.keys(byField.value).length > 0 && elsewhere.length === 0) return ''
    return [errorText(failure.value), ...elsewhere.map((field) => field.message)].join(' ')
  })

  return {
    general,
    of: (field: string) => byField.value[field] ?? '',
    set(field: string, message: string) {
      byField.value = { ...byField.value, [field]: message }
    },
    has: () => Object.keys(byField.value).length > 0,
    clear() {
      failure.value = undefined
      byField.value = {}
    },
    show(error: unknown) {
      failure.value = error
      if (!(error instanceof ApiError)) return
      const here = error.fields.filter((field) => fields.includes(nameOf(field.pointer)))
      byField.value = Object.fromEntries(here.map((field) => [nameOf(field.pointer), field.message]))
    },
  }
}

const nameOf = (pointer: string) => pointer.replace(/^\//, '')
