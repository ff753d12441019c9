import { computed, reactive, ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { ApiError } from '../api/problem.ts'
import { useErrorText } from './use-error-text.ts'

/** What a field's component needs: `<TextField v-bind="form.field('email')" />`. */
export interface Field<T> {
  modelValue: T
  'onUpdate:modelValue': (value: T) => void
  error: string
  required?: boolean
}

export interface AnyForm {
  readonly isBusy: boolean
  /** What went wrong and belongs to no field. */
  readonly error: string
  /** How often a try failed, here or at the server. */
  readonly failedTries: number
  submit: () => Promise<void>
}

type Faults<Values> = Partial<Record<keyof Values, string | false>>

/**
 * A form whose values are checked here, then sent. The server names fields by JSON pointer: each of its errors is
 * shown at the field of that name, the others above all fields.
 */
export function useForm<Values extends Record<string, unknown>>(options: {
  values: Values
  /** Texts that may not be blank. */
  required?: readonly (keyof Values & string)[]
  /** What is wrong with the values; nothing is sent then. */
  check?: (values: Values) => Faults<Values>
  send: (values: Values) => Promise<void>
}) {
  const { required = [], check = () => ({}), send } = options
  const { t } = useI18n()
  const errorText = useErrorText()
  const values = reactive(options.values) as Values
  const failure = ref<unknown>()
  const failedTries = ref(0)
  const isTried = ref(false)
  const isBusy = ref(false)

  const serverFaults = computed(() =>
    (failure.value instanceof ApiError ? failure.value.fields : []).map(({ pointer, message }) => ({
      name: pointer.replace(/^\//, ''),
      message,
    })),
  )
  const error = computed(() => {
    if (failure.value === undefined) return ''
    const elsewhere = serverFaults.value.filter(({ name }) => !(name in values))
    if (serverFaults.value.length > 0 && elsewhere.length === 0) return ''
    return [errorText(failure.value), ...elsewhere.map(({ message }) => message)].join(' ')
  })

  /** Known from the first try on; a fault is gone as soon as it is corrected. */
  const faults = computed<Faults<Values>>(() => {
    if (!isTried.value) return {}
    const blank = required.filter((name) => String(values[name]).trim() === '')
    const missing = Object.fromEntries(blank.map((name) => [name, t('common.required')]))
    return { ...check(values), ...missing }
  })
  function errorOf(name: keyof Values): string {
    const fault = faults.value[name]
    if (typeof fault === 'string') return fault
    return serverFaults.value.find((one) => one.name === name)?.message ?? ''
  }

  function field<Name extends keyof Values & string>(name: Name): Field<Values[Name]> {
    return {
      modelValue: values[name],
      'onUpdate:modelValue': (value) => {
        values[name] = value
      },
      error: errorOf(name),
      ...(required.includes(name) && { required: true }),
    }
  }

  function clear(): void {
    isTried.value = false
    failure.value = undefined
  }

  async function submit(): Promise<void> {
    // Enter pressed twice sends once.
    if (isBusy.value) return
    failure.value = undefined
    isTried.value = true
    if (Object.values(faults.value).some(Boolean)) {
      failedTries.value += 1
      return
    }
    isBusy.value = true
    try {
      await send(values)
    } catch (cause) {
      failure.value = cause
      failedTries.value += 1
    } finally {
      isBusy.value = false
    }
  }

  return Object.assign(reactive({ isBusy, error, failedTries }), { values, errorOf, field, clear, submit })
}

/** What is sent: texts without the blanks around them; an empty text is left out, which clears it. */
export function filledIn<Values extends Record<string, unknown>>(values: Values): Values {
  const entries = Object.entries(values).map(([name, value]): [string, unknown] => [
    name,
    typeof value === 'string' ? value.trim() || undefined : value,
  ])
  return Object.fromEntries(entries) as Values
}
