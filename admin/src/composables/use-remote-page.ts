import { computed, ref, shallowRef, watch, type Ref } from 'vue'
import { useUrlFilter } from './use-url-filter.ts'

interface Page<T> {
  count: number
  results: T[]
}

/**
 * One page of a list that the server searches and counts. `key` is all that the page depends on;
 * an answer that comes after a newer question is dropped.
 */
export function useRemotePage<T>(key: Ref<string>, load: (page: number) => Promise<Page<T>>) {
  const pageText = useUrlFilter('page')
  const page = computed({
    get: () => Math.max(1, Math.floor(Number(pageText.value)) || 1),
    set: (value: number) => {
      pageText.value = value <= 1 ? '' : String(value)
    },
  })
  const rows = shallowRef<T[]>([])
  const count = ref(0)
  const isLoaded = ref(false)
  const error = ref<unknown>()
  let latest = 0

  async function reload(): Promise<void> {
    latest += 1
    const mine = latest
    error.value = undefined
    try {
      const answer = await load(page.value)
      if (mine !== latest) return
      rows.value = answer.results
      count.value = answer.count
      isLoaded.value = true
    } catch (cause) {
      if (mine === latest) error.value = cause
    }
  }

  watch([key, page], () => void reload(), { immediate: true })
  return { page, rows, count, isLoaded, error, reload }
}
