import { computed, reactive, ref } from 'vue'
import { ApiError } from '../api/problem.ts'
import { useErrorText } from './use-errors.ts'

export interface Form<Field extends string = string> {
  readonly isBusy: boolean
  /** What went wrong and belongs to no field. */
  readonly error: string
  of: (field: Field) => string
  clear: () => void
  submit: () => Promise<void>
}

/**
 * A form that is checked here, then sent. The server names fields by JSON pointer, so each refusal can stand
 * at its field; what fits none of `fields` is told above them.
 */
export function useForm<Field extends string>(options: {
  fields: readonly Field[]
  /** What is wrong at first sight; nothing is sent then. */
  check: () => Partial<Record<Field, string | false>>
  send: () => Promise<void>
}): Form<Field> {
  const { fields, check, send } = options
  const errorText = useErrorText()
  const failure = ref<unknown>()
  const refusals = ref<Partial<Record<string, string>>>({})
  const isTried = ref(false)
  const isBusy = ref(false)
  const isHere = (name: string) => fields.some((field) => field === name)

  const error = computed(() => {
    if (failure.value === undefined) return ''
    const refused = failure.value instanceof ApiError ? failure.value.fields : []
    const elsewhere = refused.filter(({ pointer }) => !isHere(nameOf(pointer)))
    if (refused.length > 0 && elsewhere.length === 0) return ''
    return [errorText(failure.value), ...elsewhere.map(({ message }) => message)].join(' ')
  })

  /** What is wrong at first sight: told from the first try on, and gone as soon as it is mended. */
  const wrong = computed<Partial<Record<string, string | false>>>(() => (isTried.value ? check() : {}))
  const of = (field: Field) => wrong.value[field] || (refusals.value[field] ?? '')

  function clear(): void {
    isTried.value = false
    failure.value = undefined
    refusals.value = {}
  }

  async function submit(): Promise<void> {
    clear()
    isTried.value = true
    if (Object.values(wrong.value).some(Boolean)) return
    isBusy.value = true
    try {
      await send()
    } catch (cause) {
      failure.value = cause
      const refused = cause instanceof ApiError ? cause.fields : []
      refusals.value = Object.fromEntries(refused.map(({ pointer, message }) => [nameOf(pointer), message]))
    } finally {
      isBusy.value = false
    }
  }

  return reactive({ isBusy, error, of, clear, submit })
}

const nameOf = (pointer: string) => pointer.replace(/^\//, '')
