import type { Log } from '@escale/protocol'
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import { useJournal } from './use-journal.ts'
import { useUrlFilter } from './use-url-filter.ts'

interface Answer<T> {
  count: number
  results: T[]
}

export interface RemotePage<T> {
  /** From 1; it lives in the address. */
  readonly page: number
  readonly pageSize: number
  rows: T[]
  count: number
  readonly isLoaded: boolean
  readonly error: unknown
  turnTo: (page: number) => void
  reload: () => Promise<void>
}

/**
 * One page of a list that the server searches and counts, loaded again whenever `filter` changes, the live
 * connection is back, or `hear` says of a record of the journal that it concerns the list.
 * An answer that comes after a newer question is dropped.
 */
export function useRemotePage<T>(options: {
  pageSize: number
  filter?: () => string
  load: (query: { page: number; pageSize: number }) => Promise<Answer<T>>
  hear: (log: Log) => boolean
}): RemotePage<T> {
  const { pageSize, filter = () => '', load, hear } = options
  const pageText = useUrlFilter('page')
  const page = computed(() => Math.max(1, Math.floor(Number(pageText.value)) || 1))
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
      const answer = await load({ page: page.value, pageSize })
      if (mine !== latest) return
      rows.value = answer.results
      count.value = answer.count
      isLoaded.value = true
    } catch (cause) {
      if (mine === latest) error.value = cause
    }
  }

  function turnTo(next: number): void {
    pageText.value = next <= 1 ? '' : String(next)
  }

  useJournal(hear, reload)
  watch([filter, page], () => void reload(), { immediate: true })

  return reactive({ page, pageSize, rows, count, isLoaded, error, turnTo, reload })
}
