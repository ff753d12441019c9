import { computed, reactive, ref } from 'vue'
import { ApiError } from '../api/problem.ts'
import { useErrorText } from './use-errors.ts'

export interface Form<Field extends string = string> {
  readonly isBusy: boolean
  /** What went wrong and belongs to no field. */
  readonly error: string
  /** Grows each time that it was not sent, or was sent and refused. */
  readonly refusals: number
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
  const refused = ref<Partial<Record<string, string>>>({})
  const refusals = ref(0)
  const isTried = ref(false)
  const isBusy = ref(false)
  const isHere = (name: string) => fields.some((field) => field === name)

  const error = computed(() => {
    if (failure.value === undefined) return ''
    const told = failure.value instanceof ApiError ? failure.value.fields : []
    const elsewhere = told.filter(({ pointer }) => !isHere(nameOf(pointer)))
    if (told.length > 0 && elsewhere.length === 0) return ''
    return [errorText(failure.value), ...elsewhere.map(({ message }) => message)].join(' ')
  })

  /** What is wrong at first sight: told from the first try on, and gone as soon as it is mended. */
  const wrong = computed<Partial<Record<string, string | false>>>(() => (isTried.value ? check() : {}))
  const of = (field: Field) => wrong.value[field] || (refused.value[field] ?? '')

  function clear(): void {
    isTried.value = false
    failure.value = undefined
    refused.value = {}
  }

  async function submit(): Promise<void> {
    // Enter pressed twice is one act.
    if (isBusy.value) return
    clear()
    isTried.value = true
    if (Object.values(wrong.value).some(Boolean)) {
      refusals.value += 1
      return
    }
    isBusy.value = true
    try {
      await send()
    } catch (cause) {
      failure.value = cause
      const told = cause instanceof ApiError ? cause.fields : []
      refused.value = Object.fromEntries(told.map(({ pointer, message }) => [nameOf(pointer), message]))
      refusals.value += 1
    } finally {
      isBusy.value = false
    }
  }

  return reactive({ isBusy, error, refusals, of, clear, submit })
}

const nameOf = (pointer: string) => pointer.replace(/^\//, '')
